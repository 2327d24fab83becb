/** What the page of a run does beyond showing it: values light up, passes are stepped through, large runs go back in time. */
import { describe, expect, test } from "vitest";

import type { Graph, TaskExecution } from "../src/api/types";
import { ask, close, newest, open, post, withBrowser } from "./browser";
import { Producer } from "./events";

withBrowser();

describe("a picked value", () => {
  test("lights up who has to do with it in graph and timeline, until it is let go", async () => {
    const producer = new Producer("values-1", "values");
    const about = (key: string) => ({ channel: "main", key, size: 1, hash: `hash-${key}` });
    const value = (key: string, task: string, at: number) =>
      producer.task("data_written", at, task, about(key));
    const used = (key: string, task: string, at: number) => producer.task("data_read", at, task, about(key));
    await post([
      producer.event("workflow_started", 0),
      ...["fetch", "clean", "other"].flatMap((task, n) => [
        producer.task("task_started", n * 100 + 10, task),
        ...(task === "clean" ? [used("rows", task, n * 100 + 20)] : []),
        value(task === "fetch" ? "rows" : `of_${task}`, task, n * 100 + 30),
        producer.task("task_completed", n * 100 + 40, task),
      ]),
      producer.event("workflow_completed", 400),
    ]);
    const opened = await open("/executions/values-1?key=rows");
    await opened.page.getByRole("region", { name: "Picked value" }).waitFor();
    const dim = opened.page.locator(".card-box.dim .name");
    await expect.poll(() => dim.allTextContents()).toEqual(["other"]);
    await opened.page.getByRole("button", { name: /Show everything/ }).click();
    await expect.poll(() => dim.count()).toBe(0);
    expect(opened.page.url()).not.toContain("key=");

    // The pointer on a reader's "written by" shows the writer.
    await opened.page.locator(".card-box", { hasText: "clean" }).click();
    await opened.page.locator("aside").getByRole("button", { name: "fetch", exact: true }).last().hover();
    await expect
      .poll(() => opened.page.locator(".card-box.hinted .name").allTextContents())
      .toEqual(["fetch"]);
    await close(opened);
  });
});

test("a selected card steps through passes and attempts", async () => {
  const id = await newest("agent");
  const { task_executions } = await ask<{ task_executions: TaskExecution[] }>(`/api/executions/${id}`);
  const counts = new Map<string, number>();
  for (const row of task_executions) counts.set(row.task_id, (counts.get(row.task_id) ?? 0) + 1);
  const task = [...counts].find(([, count]) => count > 2)?.[0] ?? "";
  expect(task).not.toBe("");
  const opened = await open(`/executions/${id}?task=${encodeURIComponent(task)}`);
  const steps = opened.page.getByRole("group", { name: `Passes and attempts of ${task}` });
  await steps.waitFor();
  const shown = () => new URL(opened.page.url()).searchParams.get("te");
  await steps.getByRole("button", { name: "The one before" }).click();
  const before = shown();
  expect(before).not.toBeNull();
  await steps.getByRole("button", { name: "The one before" }).click();
  expect(shown()).not.toBe(before);
  await steps.getByRole("button", { name: "The next one" }).click();
  expect(shown()).toBe(before);
  await close(opened);
});

test("a run of more than 5,000 task executions goes back in time as the server says", async () => {
  const producer = new Producer("long-1", "long");
  const tasks = ["a", "b", "c"];
  const events = [producer.event("workflow_started", 0)];
  for (let n = 0; n < 5_100; n += 1) {
    const words = { task_id: tasks[n % 3], task_execution_id: `long-${n}`, iteration: Math.floor(n / 3) };
    events.push(producer.event("task_started", n * 10, words));
    events.push(producer.event("task_completed", n * 10 + 5, words));
  }
  for (let n = 0; n < events.length; n += 2_000) await post(events.slice(n, n + 2_000));
  await post([producer.event("workflow_completed", 60_000)]);
  const { task_executions } = await ask<{ task_executions: TaskExecution[] }>(
    "/api/executions/long-1/task_executions?limit=10",
  );
  // Between a start and an end: what runs then is done later.
  const time = task_executions.find((row) => row.task_id === "a")?.start_time ?? "";
  const told = await ask<Graph>(`/api/executions/long-1/graph?at=${encodeURIComponent(time)}`);
  const words: Record<string, string> = { pending: "not run" };
  const statuses = told.nodes.map((node) => words[node.data.status] ?? node.data.status);
  const opened = await open(`/executions/long-1?at=${encodeURIComponent(time)}`);
  const asked = opened.page.waitForRequest(/\/graph\?at=/);
  await asked;
  const cards = opened.page.locator(".card-box");
  const picture = async () => {
    const found: Record<string, string | null> = {};
    for (const card of await cards.all())
      found[(await card.locator(".name").textContent()) ?? ""] = await card
        .locator("svg[aria-label]")
        .first()
        .getAttribute("aria-label");
    return found;
  };
  const expected = Object.fromEntries(told.nodes.map((node, n) => [node.id, statuses[n]]));
  expect(Object.values(expected)).toContain("running");
  // What did not begin yet is not in the graph of then, but has its place in the picture.
  await expect.poll(picture, { timeout: 20_000 }).toMatchObject(expected);
  await close(opened);
});
