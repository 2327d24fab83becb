/** Names and texts that want to be more than text. */
import { beforeAll, expect, test } from "vitest";

import { close, open, post, withBrowser } from "./browser";
import { Producer } from "./events";

withBrowser();

const TEXTS = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(2)>',
  "javascript:alert(3)",
  "{{constructor.constructor('alert(4)')()}}",
  "\u202Ereversed\u202C and \u0000 nothing",
  "مرحبا بالعالم",
  "x".repeat(10_000),
  "a\nb\tc",
  "../../etc/passwd?tab=logs#x",
  "%3Cscript%3E & 100 %",
];
const WORKFLOW = TEXTS[1] ?? "";

beforeAll(async () => {
  const producer = new Producer("hostile", WORKFLOW);
  const nodes = TEXTS.map((id) => ({
    id,
    task_type: id.slice(0, 100),
    kind: "static",
    doc: id.slice(0, 500),
  }));
  const edges = TEXTS.slice(1).map((target, n) => ({ source: TEXTS[n], target, kind: "static" }));
  await post([
    producer.event("workflow_started", 0, {
      data: { labels: { evil: "<b>x</b>" }, inputs: { text: TEXTS[0] } },
    }),
    producer.event("graph_changed", 1, { data: { nodes, edges } }),
  ]);
  const events = TEXTS.flatMap((text, n) => {
    const words = { task_execution_id: `hostile-${n}` };
    const last = n === 0;
    return [
      producer.task("task_started", 10 + n, text, { worker: text.slice(0, 200) }, words),
      producer.task("log", 11 + n, text, { level: "info", logger: "l", message: text }, words),
      producer.task(
        "data_written",
        12 + n,
        text,
        { channel: "main", key: text, size: 3, hash: `h${n}`, preview: text.slice(0, 1_000) },
        words,
      ),
      last
        ? producer.task(
            "task_failed",
            100,
            text,
            { error: { type: text, message: text, traceback: text } },
            words,
          )
        : producer.task("task_completed", 50 + n, text, {}, words),
    ];
  });
  await post(events);
  await post([
    producer.task(
      "waiting",
      60,
      "ask",
      { feedback_id: "f", kind: "text", prompt: TEXTS[0], answer_url: "javascript:alert(5)" },
      { task_execution_id: "hostile-ask" },
    ),
    producer.event("workflow_failed", 200, { data: { error: { type: TEXTS[1], message: TEXTS[0] } } }),
  ]);
});

const TABS = ["graph", "timeline", "table", "data", "events", "logs", "llm", "compare"];
test.each([
  "/",
  "/executions?q=%3Cscript%3E",
  "/workflows",
  `/workflows/${encodeURIComponent(WORKFLOW)}`,
  `/tasks/${encodeURIComponent(TEXTS[0] ?? "")}`,
  ...TABS.map((tab) => `/executions/hostile?tab=${tab}&task=${encodeURIComponent(TEXTS[0] ?? "")}`),
  `/executions/hostile?tab=graph&task=${"x".repeat(2_000)}`,
])("%s", async (path) => {
  const opened = await open(path);
  const { page } = opened;
  await page.waitForLoadState("networkidle");
  await page.waitForTimeout(300);
  expect(await page.locator("main script, main img, main b:has-text('<b>')").count()).toBe(0);
  expect(await page.locator('a[href^="javascript"]').count()).toBe(0);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(1280);
  await close(opened);
});
