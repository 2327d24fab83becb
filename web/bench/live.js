// A run that is watched while 1,000 events come each second: what the page takes of a processor, and whether it ends right.
// `node bench/live.js [EVENTS A SECOND] [SECONDS] [TAB]`
import { bench, post, processor, producer } from "./support.js";

const RATE = Number(process.argv[2] ?? 1_000);
const SECONDS = Number(process.argv[3] ?? 30);
const TAB = process.argv[4] ?? "graph";
const SLICE = 50;
/** An agent's loop with four tools, over and over, and now and then a new dynamic task. */
const TASKS = ["plan", "search", "read", "write", "judge"];

await bench(async ({ url, browser }) => {
  const event = producer("live", "live", Date.now());
  const nodes = TASKS.map((id) => ({ id, kind: "static" }));
  const edges = TASKS.map((source, n) => ({ source, target: TASKS[(n + 1) % TASKS.length], kind: "static" }));
  await post(url, [event("workflow_started", 0), event("graph_changed", 0, { data: { nodes, edges } })]);

  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(`${url}/executions/live?tab=${TAB}`);
  await page.getByRole("heading", { name: /running/ }).waitFor();
  await page.waitForTimeout(2_000);

  let runs = 0;
  const start = performance.now();
  const before = await processor(page);
  let sent = 0;
  while (performance.now() - start < SECONDS * 1_000) {
    const due = Math.floor(((performance.now() - start) / 1_000) * RATE) - sent;
    const batch = [];
    while (batch.length < due) {
      const at = performance.now() - start;
      const dynamic = runs % 200 === 199;
      const task_id = dynamic ? `check_${runs}` : TASKS[runs % TASKS.length];
      const words = {
        task_id,
        task_execution_id: `t-${runs}`,
        iteration: dynamic ? 0 : Math.floor(runs / TASKS.length),
      };
      if (dynamic) {
        const node = { id: task_id, kind: "dynamic" };
        const edge = { source: "judge", target: task_id, kind: "dynamic" };
        batch.push(event("graph_changed", at, { data: { nodes: [node], edges: [edge] } }));
      }
      batch.push(event("task_started", at, { ...words, data: { worker: `w-${runs % 4}` } }));
      batch.push(event("task_completed", at + 2, words));
      runs += 1;
    }
    sent += batch.length;
    if (batch.length > 0) await post(url, batch);
    await new Promise((go) => setTimeout(go, SLICE));
  }
  const took = (performance.now() - start) / 1_000;
  const after = await processor(page);
  const share = (name) => `${(((after[name] - before[name]) / took) * 100).toFixed(0)} %`;
  console.log(`${(sent / took).toFixed(0)} events a second for ${took.toFixed(0)} s, ${TAB}: `);
  console.log(`the page's process took ${share("all")} of a processor, its main thread ${share("main")}`);
  await post(url, [event("workflow_completed", performance.now() - start)]);
  const end = performance.now();
  await page.getByRole("heading", { name: /completed/ }).waitFor();
  console.log(`the end was seen after ${(performance.now() - end).toFixed(0)} ms`);
  const { execution } = await (await fetch(`${url}/api/executions/live?limit=1`)).json();
  await page.goto(`${url}/executions/live?tab=table`);
  await page
    .getByText(`of ${runs.toLocaleString("en")}`, { exact: false })
    .first()
    .waitFor();
  if (execution.total_tasks !== runs) throw new Error(`${execution.total_tasks} of ${runs} were recorded`);
});
