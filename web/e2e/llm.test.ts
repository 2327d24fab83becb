/** Model calls: their sums, and the calls in order. */
import { beforeAll, expect, test } from "vitest";

import { ask, close, newest, open, post, withBrowser } from "./browser";
import { Producer } from "./events";

withBrowser();

interface Sums {
  total: { calls: number; input_tokens: number; output_tokens: number; cost_usd: number };
}

beforeAll(async () => {
  const producer = new Producer("agent-1", "assistant");
  const call = (at: number, pass: number, data: object) =>
    producer.task("llm_called", at, "think", data, {
      task_execution_id: `agent-1.think.${pass}`,
      iteration: pass,
    });
  const think = (type: string, at: number, pass: number) =>
    producer.task(type, at, "think", {}, { task_execution_id: `agent-1.think.${pass}`, iteration: pass });
  await post([
    producer.event("workflow_started", 0),
    think("task_started", 10, 0),
    call(400, 0, {
      model: "small-1",
      duration_us: 300_000,
      input_tokens: 1_200,
      output_tokens: 80,
      cost_usd: 0.0021,
      prompt: [{ role: "user", content: "<b>What</b> is the capital of France?" }],
      completion: "Paris",
      tools: ["search"],
    }),
    think("task_completed", 500, 0),
    think("task_started", 510, 1),
    call(900, 1, { model: "large-1", duration_us: 350_000, input_tokens: 2_000, output_tokens: 300 }),
    think("task_completed", 950, 1),
    producer.event("workflow_completed", 1_000),
  ]);
});

test("sums are those of REST, calls open to what was said", async () => {
  const opened = await open("/executions/agent-1?tab=llm");
  const { page } = opened;
  await page.getByRole("region", { name: "By task" }).waitFor();
  const { total } = await ask<Sums>("/api/executions/agent-1/llm");
  expect(total).toMatchObject({ calls: 2, input_tokens: 3_200, output_tokens: 380 });
  const facts = page.locator(".facts").first();
  expect(await facts.textContent()).toMatch(/Model calls\s*2.*3,200.*380.*\$0\.0021.*for 1 of 2 calls/s);
  const byTask = page.getByRole("table", { name: "By task" });
  await byTask.getByRole("button", { name: "2 passes" }).click();
  expect(await byTask.getByRole("row").count()).toBe(4);
  expect(await page.getByRole("table", { name: "By model" }).getByRole("row").count()).toBe(3);
  const calls = page.getByRole("region", { name: "Calls" });
  expect(await calls.locator("li").count()).toBe(2);
  await calls.locator("li button").first().click();
  await page.getByText("<b>What</b> is the capital of France?").waitFor();
  await page.getByText("Paris").waitFor();
  await calls.locator("li > button").nth(1).click();
  await page.getByText("not recorded").first().waitFor();
  await close(opened);
});

test("the workflow and the task say what their models cost", async () => {
  for (const path of ["/workflows/assistant", "/tasks/think?workflow=assistant"]) {
    const opened = await open(path);
    await opened.page.getByRole("region", { name: "Model calls" }).getByText("3,200").waitFor();
    await close(opened);
  }
});

test("a run without calls says when there are some", async () => {
  const opened = await open(`/executions/${await newest("census")}?tab=llm`);
  await opened.page.getByText("This run has called no model").waitFor();
  await close(opened);
});
