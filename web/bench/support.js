// What the benchmarks of the pages share: a server of its own with the pages as they were last built, and a browser without GPU.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
/** Beside a server of a debug build figures are of no use. */
const programs = process.env["GRAFLOW_PROGRAMS"] ?? join(checkout, "target/release");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"];
const BEGIN = Date.UTC(2026, 10, 23, 12, 0, 0);

/** Starts a server and a browser, does something with them, and stops both. */
export async function bench(does) {
  const folder = await mkdtemp(join(tmpdir(), "graflow-bench-"));
  // A copy: a build of the pages meanwhile would load them again.
  await cp(join(checkout, "web/dist"), join(folder, "web/dist"), { recursive: true });
  const words = ["lineage", "--data-dir", join(folder, "data"), "serve", "--port", "0", "--reload"];
  const server = spawn(join(programs, "graflow"), words, {
    cwd: folder,
    stdio: ["ignore", "pipe", "ignore"],
  });
  let browser;
  try {
    const [said] = await once(server.stdout, "data");
    const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
    browser = await chromium.launch({ executablePath, args: [...FLAGS, "--js-flags=--expose-gc"] });
    await does({ url: said.toString().trim(), browser, server });
  } finally {
    await browser?.close();
    server.kill("SIGTERM");
    await once(server, "exit");
    await rm(folder, { recursive: true });
  }
}

/** Sends events, as often as it takes until the server has taken all of them. */
export async function post(url, events) {
  const headers = { "content-type": "application/x-ndjson" };
  const body = events.map((one) => JSON.stringify(one)).join("\n");
  for (;;) {
    const answer = await fetch(`${url}/api/events`, { method: "POST", headers, body });
    if (answer.status === 503) {
      await new Promise((go) => setTimeout(go, 250));
      continue;
    }
    const told = await answer.json();
    if (!answer.ok || told.invalid.length > 0) throw new Error(JSON.stringify(told));
    return;
  }
}

export async function postAll(url, events) {
  let batch = [];
  for (const one of events) {
    batch.push(one);
    if (batch.length >= 5_000) {
      await post(url, batch);
      batch = [];
    }
  }
  if (batch.length > 0) await post(url, batch);
}

/** Makes events of one run. */
export function producer(execution_id, workflow_name, begin = BEGIN) {
  let count = 0;
  return (type, at, words = {}) => ({
    event_id: `${execution_id}-${(count += 1)}`,
    type,
    time: new Date(begin + at).toISOString(),
    execution_id,
    workflow_name,
    ...words,
  });
}

const sessions = new WeakMap();

/** Seconds of processor that the page's process has taken so far, and its main thread; counted from the first call on. */
export async function processor(page) {
  let session = sessions.get(page);
  if (!session) {
    session = await page.context().newCDPSession(page);
    sessions.set(page, session);
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
  }
  const { metrics } = await session.send("Performance.getMetrics");
  const at = (name) => metrics.find((one) => one.name === name)?.value ?? NaN;
  return { all: at("ProcessTime"), main: at("TaskDuration"), script: at("ScriptDuration") };
}

/** Milliseconds of frames while something is done to the page. */
export async function frames(page, does) {
  await page.evaluate(() => {
    window.frameTimes = [];
    let last = performance.now();
    const step = (now) => {
      window.frameTimes.push(now - last);
      last = now;
      window.frameHandle = requestAnimationFrame(step);
    };
    window.frameHandle = requestAnimationFrame(step);
  });
  const before = await processor(page);
  await does();
  const after = await processor(page);
  const times = await page.evaluate(
    () => (cancelAnimationFrame(window.frameHandle), window.frameTimes.slice(2)),
  );
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  const cpu = ((after.all - before.all) * 1_000) / times.length;
  return {
    median: at(0.5),
    most: at(0.95),
    text: `frame ${at(0.5).toFixed(0)} ms median, ${at(0.95).toFixed(0)} ms 95th percentile, of ${times.length}; ${cpu.toFixed(0)} ms of processor a frame`,
  };
}
