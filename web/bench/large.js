// Opens a run of many tasks in a browser without GPU and prints how long it takes and what a frame costs.
// `node bench/large.js [TASKS]`, 50,000 when not said. With PROFILE=FILE it writes what the first opening cost where.
import { writeFile } from "node:fs/promises";

import { bench, frames, postAll, processor, producer } from "./support.js";

const TASKS = Number(process.argv[2] ?? 50_000);
const LAYER = 50;
const OPENINGS = 3;

/** Layers of tasks, each led to by one or two of the layer before: 1.5 edges a task. */
function* run(id) {
  const event = producer(id, "large");
  yield event("workflow_started", 0);
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
    const words = { task_id: `task_${n}`, task_execution_id: `${id}-${n}`, iteration: 0, attempt: 1 };
    const at = Math.floor(n / LAYER) * 20;
    yield event("task_started", at, { ...words, data: { worker: `w-${n % LAYER}` } });
    yield event("task_completed", at + 5 + ((n * 7) % 13), words);
  }
  yield event("workflow_completed", (TASKS / LAYER) * 20 + 20);
}

const seconds = (times) => times.map((one) => one.toFixed(2)).join(" ");

await bench(async ({ url, browser }) => {
  console.log(`${TASKS} tasks`);
  await postAll(url, run("large"));
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  // The list first: scripts are in the browser's cache then, as they are for somebody who looks at runs.
  await page.goto(`${url}/executions`);
  await page.getByRole("link", { name: "large" }).first().waitFor();

  const opened = page.getByRole("group", { name: new RegExp(`Graph of [1-9]`) });
  for (const how of ["cold", "cached"]) {
    const times = [];
    let cpu = 0;
    // The server forgets no layout by itself: it is cold once.
    for (let n = 0; n < (how === "cold" ? 1 : OPENINGS); n += 1) {
      await page.goto(`${url}/help`);
      const before = await processor(page);
      const session = process.env["PROFILE"] ? await page.context().newCDPSession(page) : undefined;
      if (session) {
        await session.send("Profiler.enable");
        await session.send("Profiler.start");
      }
      const start = performance.now();
      await page.goto(`${url}/executions/large?tab=graph`, { waitUntil: "commit" });
      await opened.waitFor();
      times.push((performance.now() - start) / 1_000);
      cpu = (await processor(page)).main - before.main;
      await page
        .getByText("50,000 of", { exact: false })
        .first()
        .waitFor({ timeout: 1 })
        .catch(() => {});
      if (session) {
        const { profile } = await session.send("Profiler.stop");
        await writeFile(`${process.env["PROFILE"]}.${how}.cpuprofile`, JSON.stringify(profile));
        await session.detach();
      }
    }
    console.log(
      `open, layout ${how}: ${seconds(times)} s; the last one took ${cpu.toFixed(2)} s of the page's main thread`,
    );
  }
  // The rest of the rows comes meanwhile.
  await page.waitForTimeout(12_000);

  const box = await page.locator(".graph").boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const pan = async (what) => {
    await page.mouse.move(x, y);
    const told = await frames(page, async () => {
      await page.mouse.down();
      for (let n = 0; n < 60; n += 1) await page.mouse.move(x + n * 4, y + n);
      await page.mouse.up();
    });
    console.log(`pan, ${what}: ${told.text}`);
    await page.waitForTimeout(1_000);
  };
  await pan("all in view");
  for (let n = 0; n < 6; n += 1) await page.getByRole("button", { name: "Zoom in" }).first().click();
  await page.waitForTimeout(1_000);
  await pan("a tenth in view");
  for (let n = 0; n < 16; n += 1) await page.getByRole("button", { name: "Zoom in" }).first().click();
  await page.waitForTimeout(1_000);
  await pan("cards");

  await page.goto(`${url}/executions/large?tab=timeline`);
  await page.getByRole("group", { name: /Bars/ }).waitFor();
  await page.waitForTimeout(4_000);
  const scroll = async (what) => {
    const told = await frames(page, async () => {
      await page.mouse.move(600, 600);
      for (let n = 0; n < 60; n += 1) await page.mouse.wheel(0, 200);
    });
    console.log(`scroll the timeline, ${what}: ${told.text}`);
  };
  await scroll("a task a row");
  await page.goto(`${url}/executions/large?tab=timeline&by=worker`);
  await page.getByRole("group", { name: /Bars/ }).waitFor();
  await page.waitForTimeout(4_000);
  await scroll(`${TASKS / LAYER} bars a row`);
});
