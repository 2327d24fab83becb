/** A workflow and a task over a month of runs: boxes by day, what failed, and what is slower than usual. */
import { beforeAll, expect, test } from "vitest";

import type { Answer } from "../src/api/types";
import { ask, close, open, post, withBrowser } from "./browser";
import { Producer } from "./events";

withBrowser();

const DAY = 86_400_000;

beforeAll(async () => {
  const events: object[] = [];
  for (let day = 0; day < 20; day += 1) {
    const producer = new Producer(`monthly-${day}`, "monthly");
    const at = day * DAY;
    const took = day === 19 ? 9_000 : 1_000 + (day % 4) * 20;
    const fails = day === 7;
    events.push(
      producer.event("workflow_started", at),
      producer.task("task_started", at, "report"),
      producer.task(
        fails ? "task_failed" : "task_completed",
        at + took,
        "report",
        fails ? { error: { type: "E", message: "m" } } : {},
      ),
      fails
        ? producer.event("workflow_failed", at + took, { data: { error: { type: "E", message: "m" } } })
        : producer.event("workflow_completed", at + took),
    );
  }
  await post(events);
});

test.each([
  ["/workflows/monthly", "Duration of runs"],
  ["/tasks/report?workflow=monthly", "Duration of task executions"],
])("%s", async (path, label) => {
  const opened = await open(path);
  const { page } = opened;
  const answer = await ask<Answer<"/api/workflows/{name}">>("/api/workflows/monthly");
  expect(answer.expected.slower_above).toBeGreaterThan(1);
  expect(answer.expected.slower_above).toBeLessThan(2);
  const boxes = page.getByRole("img", { name: `${label} by day: 20 periods` });
  await boxes.waitFor();
  expect(await boxes.locator("rect.box").count()).toBe(19);
  expect(await boxes.locator("text.failed").count()).toBe(1);
  await page.getByRole("img", { name: new RegExp(`^${label}.* 1 slower than usual`) }).waitFor();
  const strip = page.getByRole("list", { name: "Last runs" });
  expect(await strip.getByRole("link").count()).toBe(20);
  expect(await strip.getByRole("link", { name: /slower than usual/ }).count()).toBe(1);
  await close(opened);
});
