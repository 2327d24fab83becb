// A page that stays open for a day, in minutes: runs come and go, lines break; what it holds must not grow.
// `node bench/day.js [RUNS] [RECONNECTS]`
import { bench, post, producer } from "./support.js";

const RUNS = Number(process.argv[2] ?? 2_000);
const CUTS = Number(process.argv[3] ?? 20);
const TASKS = 20;

function run(id) {
  const event = producer(id, `workflow_${id.length % 5}`, Date.now());
  const events = [event("workflow_started", 0)];
  for (let n = 0; n < TASKS; n += 1) {
    const words = { task_id: `task_${n}`, task_execution_id: `${id}-${n}` };
    events.push(event("task_started", n, words), event("task_completed", n + 1, words));
  }
  return [...events, event("workflow_completed", TASKS + 1)];
}

async function heap(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  const { nodes } = await session.send("Memory.getDOMCounters");
  await session.detach();
  return { megabytes: usedSize / 2 ** 20, nodes };
}

await bench(async ({ url, browser }) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  // Each socket is kept, to break it.
  await context.addInitScript(() => {
    window.sockets = [];
    const Real = window.WebSocket;
    window.WebSocket = class extends Real {
      constructor(...words) {
        super(...words);
        window.sockets = [this];
      }
    };
  });
  for (const path of ["/", "/executions"]) {
    const page = await context.newPage();
    await page.goto(url + path);
    await page.waitForTimeout(1_000);
    const told = [];
    for (let n = 0; n < RUNS; n += 1) {
      await post(url, run(`${path.length}-${n}`));
      if (n % Math.ceil(RUNS / CUTS) === 0) await page.evaluate(() => window.sockets[0].close());
      if (n % Math.ceil(RUNS / 4) === Math.ceil(RUNS / 4) - 1) {
        await page.waitForTimeout(2_000);
        told.push(await heap(page));
      }
    }
    const text = told.map(({ megabytes, nodes }) => `${megabytes.toFixed(1)} MB, ${nodes} nodes`);
    console.log(
      `${path} after each of four quarters of ${RUNS} runs and ${CUTS} broken lines: ${text.join("; ")}`,
    );
    const [first, last] = [told[0], told.at(-1)];
    if (last.megabytes > first.megabytes * 1.5 + 5) throw new Error(`${path} grows`);
    await page.close();
  }
});
