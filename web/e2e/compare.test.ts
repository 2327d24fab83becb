/** What is otherwise than in the last run that completed. */
import { beforeAll, expect, test } from "vitest";

import type { Comparison } from "../src/api/types";
import { ask, close, open, post, withBrowser } from "./browser";
import { Producer } from "./events";

withBrowser();

const HOUR = 3_600_000;

/** A run of three tasks; `rows` is the value that goes wrong. */
function run(name: string, at: number, rows: string, fails: boolean): object[] {
  const producer = new Producer(name, "nightly");
  const write = (after: number, task: string, key: string, value: string) =>
    producer.task("data_written", at + after, task, {
      channel: "main",
      key,
      size: value.length,
      hash: `blake3:${value}`,
      preview: value,
    });
  const read = (after: number, task: string, key: string, value: string) =>
    producer.task("data_read", at + after, task, { channel: "main", key, hash: `blake3:${value}` });
  const took = fails ? 900 : 400;
  return [
    producer.event("workflow_started", at, { data: { inputs: { day: fails ? "tuesday" : "monday" } } }),
    producer.task("task_started", at, "fetch"),
    write(50, "fetch", "config", "same"),
    write(60, "fetch", "rows", rows),
    producer.task("task_completed", at + took, "fetch"),
    producer.task("task_started", at + took, "validate"),
    read(took, "validate", "rows", rows),
    write(took + 10, "validate", "checked", `${rows} checked`),
    ...(fails
      ? [
          producer.task("task_failed", at + took + 50, "validate", {
            error: { type: "KeyError", message: "'ts'" },
          }),
          producer.event("workflow_failed", at + took + 60, {
            data: { error: { type: "KeyError", message: "'ts'" } },
          }),
        ]
      : [
          producer.task("task_completed", at + took + 50, "validate"),
          producer.task("task_started", at + took + 60, "publish"),
          producer.task("task_completed", at + took + 90, "publish"),
          producer.event("workflow_completed", at + took + 100),
        ]),
  ];
}

beforeAll(async () => {
  await post(run("nightly-1", 0, "good", false));
  await post(run("nightly-2", HOUR, "good", false));
  await post(run("nightly-3", 2 * HOUR, "bad", true));
});

test("a failed run says what changed since it last worked, the first difference first", async () => {
  const opened = await open("/executions/nightly-3?tab=graph");
  const { page } = opened;
  await page.getByRole("button", { name: "What changed" }).click();
  await page.getByRole("heading", { name: "What differs" }).waitFor();
  expect(page.url()).toContain("tab=compare");
  const said = await page.getByRole("region", { name: "What differs" }).locator(".message").allTextContents();
  const { differences } = await ask<Comparison>("/api/executions/nightly-3/compare");
  expect(said).toEqual(differences.map(({ message }) => message.replaceAll("`", "")));
  expect(said.slice(0, 2)).toEqual([
    'the input day is "tuesday"; it was "monday"',
    "rows v1, written by fetch, differs",
  ]);
  expect(said).toContain("publish did not run here");
  const values = page.getByRole("region", { name: "Values that differ" });
  expect(await values.locator("li").count()).toBe(2);
  expect(await values.locator("li").first().textContent()).toMatch(/rows.*begins here.*bad.*good/s);
  expect(await values.locator("li").nth(1).textContent()).toMatch(/checked.*follows/s);
  const tasks = page.getByRole("table", { name: "Tasks of both runs" });
  expect(await tasks.getByRole("row").nth(1).textContent()).toMatch(/fetch.*900 ms.*400 ms.*2\.3 ×/s);
  // From a difference to the value itself.
  await page
    .getByRole("region", { name: "What differs" })
    .getByRole("button", { name: "Show" })
    .first()
    .click();
  await expect.poll(() => page.url()).toMatch(/tab=data.*key=rows/);
  await close(opened);
});

test("any other run can be chosen, and the address says which", async () => {
  const opened = await open("/executions/nightly-2?tab=compare");
  const { page } = opened;
  await page.getByText("Nothing but the durations").waitFor();
  await page.getByLabel("Compared with").selectOption("nightly-3");
  await expect.poll(() => page.url()).toContain("with=nightly-3");
  await page.getByText("publish ran only here").waitFor();
  const again = await open(page.url().replace(/^https?:\/\/[^/]+/, ""));
  await again.page.getByText("publish ran only here").waitFor();
  await close(again);
  await close(opened);
});

test("the header says how long it took against the last; the first run has nothing to be compared with", async () => {
  const opened = await open("/executions/nightly-2");
  await opened.page.getByRole("button", { name: "as long as the last" }).click();
  await opened.page.getByRole("tab", { name: "Compare", selected: true }).waitFor();
  await opened.page.goto(opened.page.url().replace("nightly-2", "nightly-1"));
  await opened.page.getByText("No run of this workflow completed before it").waitFor();
  await close(opened);
});
