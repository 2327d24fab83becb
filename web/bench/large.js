// Opens a run of many tasks in a browser without GPU and prints how long it takes and what a frame costs.
// `node bench/large.js [TASKS]`, 50,000 when not said; beside a server of a debug build figures are of no use.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const TASKS = Number(process.argv[2] ?? 50_000);
const LAYER = 50;
const checkout = fileURLToPath(new URL("../..", import.meta.url));
const programs = process.env["GRAFLOW_PROGRAMS"] ?? join(checkout, "target/release");
const BEGIN = Date.UTC(2026, 10, 23, 12, 0, 0);

const folder = await mkdtemp(join(tmpdir(), "graflow-large-"));
const server = spawn(
  join(programs, "graflow"),
  ["lineage", "--data-dir", folder, "serve", "--port", "0", "--reload"],
  {
    cwd: checkout,
    stdio: ["ignore", "pipe", "ignore"],
  },
);
const [said] = await once(server.stdout, "data");
const url = said.toString().trim();

let count = 0;
const event = (type, at, words) => ({
  event_id: `l-${(count += 1)}`,
  type,
  time: new Date(BEGIN + at).toISOString(),
  execution_id: "large",
  workflow_name: "large",
  ...words,
});

/** Layers of tasks, each led to by one or two of the layer before: 1.5 edges a task. */
function* events() {
  yield event("workflow_started", 0, {});
  for (let first = 0; first < TASKS; first += 500) {
    const ids = Array.from({ length: Math.min(500, TASKS - first) }, (_, n) => first + n);
    const nodes = ids.map((n) => ({ id: `task_${n}`, kind: "static" }));
    const edges = ids.flatMap((n) =>
      n < LAYER
        ? []
        : [n - LAYER, ...(n % 2 === 0 && n % LAYER > 0 ? [n - LAYER - 1] : [])].map((from) => ({
            source: `task_${from}`,
            target: `task_${n}`,
            kind: "static",
          })),
    );
    yield event("graph_changed", 0, { data: { nodes, edges } });
  }
  for (let n = 0; n < TASKS; n += 1) {
    const words = { task_id: `task_${n}`, task_execution_id: `t-${n}`, iteration: 0, attempt: 1 };
    const at = Math.floor(n / LAYER) * 20;
    yield event("task_started", at, { ...words, data: { worker: `w-${n % LAYER}` } });
    yield event("task_completed", at + 5 + ((n * 7) % 13), words);
  }
  yield event("workflow_completed", (TASKS / LAYER) * 20 + 20, {});
}

async function send() {
  let batch = [];
  const post = async () => {
    const body = batch.join("\n");
    batch = [];
    const headers = { "content-type": "application/x-ndjson" };
    const answer = await fetch(`${url}/api/events`, { method: "POST", headers, body });
    if (!answer.ok) throw new Error(await answer.text());
  };
  for (const one of events()) {
    batch.push(JSON.stringify(one));
    if (batch.length >= 5_000) await post();
  }
  await post();
}

/** Milliseconds of frames while something is done to the page. */
async function frames(page, does) {
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
  await does();
  const times = await page.evaluate(
    () => (cancelAnimationFrame(window.frameHandle), window.frameTimes.slice(2)),
  );
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(0);
  return `frame ${at(0.5)} ms median, ${at(0.95)} ms 95th percentile, of ${times.length}`;
}

try {
  console.log(`${TASKS} tasks`);
  await send();
  const flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"];
  const browser = await chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: flags,
  });
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  for (const how of ["cold", "cached"]) {
    const start = performance.now();
    await page.goto(`${url}/executions/large?tab=graph`);
    await page.getByRole("group", { name: new RegExp(`Graph of [1-9]`) }).waitFor();
    console.log(`open, layout ${how}: ${((performance.now() - start) / 1_000).toFixed(2)} s`);
  }
  await page.waitForTimeout(2_000);
  const box = await page.locator(".graph").boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const pan = await frames(page, async () => {
    await page.mouse.down();
    for (let n = 0; n < 60; n += 1)
      await page.mouse.move(box.x + box.width / 2 + n * 4, box.y + box.height / 2 + n);
    await page.mouse.up();
  });
  console.log(`pan, all in view: ${pan}`);
  await page.goto(`${url}/executions/large?tab=timeline`);
  await page.getByRole("group", { name: /Bars/ }).waitFor();
  await page.waitForTimeout(2_000);
  const scroll = await frames(page, async () => {
    await page.mouse.move(600, 600);
    for (let n = 0; n < 60; n += 1) await page.mouse.wheel(0, 200);
  });
  console.log(`scroll the timeline: ${scroll}`);
  await browser.close();
} finally {
  server.kill("SIGTERM");
  await once(server, "exit");
  await rm(folder, { recursive: true });
}
