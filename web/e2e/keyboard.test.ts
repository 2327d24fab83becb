/** A walk through the pages without a pointer. */
import { expect, test } from "vitest";

import { close, newest, open, withBrowser } from "./browser";

withBrowser();

test("from the overview to a task of a run", async () => {
  const opened = await open("/");
  const { page } = opened;
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("census");
  await page
    .getByRole("option", { name: /census/ })
    .first()
    .waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/(executions|workflows)\//);
  await page.goto(`${new URL(page.url()).origin}/executions/${await newest("census")}`);
  await page.getByRole("tab", { name: "Graph" }).waitFor();
  await page.keyboard.press("3");
  await expect.poll(() => page.url()).toContain("tab=table");
  const first = page.getByRole("button", { name: "survey" });
  await first.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("complementary", { name: "Inspector" }).waitFor();
  await page.keyboard.press("Escape");
  await expect.poll(() => page.getByRole("complementary").count()).toBe(0);
  await page.keyboard.press("?");
  await page.getByRole("heading", { name: "Help", exact: true }).waitFor();
  await page.keyboard.press("g");
  await page.keyboard.press("e");
  await page.getByRole("heading", { name: "Executions" }).waitFor();
  await close(opened);
});

test("tabs move with the arrow keys, and a link shows the same again", async () => {
  const opened = await open(`/executions/${await newest("census")}`);
  const { page } = opened;
  await page.getByRole("tab", { name: "Graph" }).focus();
  await page.keyboard.press("ArrowRight");
  await expect
    .poll(() => page.getByRole("tab", { name: "Timeline" }).getAttribute("aria-selected"))
    .toBe("true");
  await page.getByRole("group", { name: /Bars/ }).focus();
  await page.keyboard.press("+");
  await expect.poll(() => page.url()).toContain("zoom=");
  const again = await open(page.url().replace(/^https?:\/\/[^/]+/, ""));
  await again.page.getByRole("tab", { name: "Timeline", selected: true }).waitFor();
  expect(again.page.url()).toBe(page.url());
  await close(again);
  await close(opened);
});

test("deleting asks first", async () => {
  const opened = await open("/executions?workflow_name=etl");
  const { page } = opened;
  const rows = page.getByRole("checkbox");
  await rows.first().waitFor();
  const before = await rows.count();
  await rows.first().focus();
  await page.keyboard.press("Space");
  await page.getByRole("button", { name: /Delete 1/ }).press("Enter");
  const dialog = page.getByRole("dialog", { name: /Delete 1 execution/ });
  await dialog.getByText("task execution").waitFor();
  await page.keyboard.press("Escape");
  expect(await rows.count()).toBe(before);
  await page.getByRole("button", { name: /Delete 1/ }).press("Enter");
  await dialog.getByRole("button", { name: "Delete" }).press("Enter");
  await expect.poll(() => rows.count()).toBe(before - 1);
  await close(opened);
});
