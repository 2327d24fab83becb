/** Every page, in both themes and on a small screen: without fault, readable by machines, nothing wider than the screen. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { beforeAll, describe, expect, test } from "vitest";

import { ask, close, newest, open, withBrowser } from "./browser";

withBrowser();

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string }[];
}

let axe: string;
const paths = new Map<string, string>();
const NAMES = [
  "overview",
  "executions",
  "workflows",
  "workflow",
  "profile",
  "task",
  "help",
  "no such run",
  "graph",
  "inspector",
  "timeline",
  "table",
  "data",
  "value",
  "events",
  "logs",
  "llm",
  "compare",
  "failed",
  "then",
];

beforeAll(async () => {
  axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  const census = `/executions/${await newest("census")}`;
  const { executions } = await ask<{ executions: { execution_id: string; start_time: string }[] }>(
    "/api/executions?status=failed&limit=1",
  );
  const run = await ask<{ execution: { start_time: string } }>(`/api${census}`);
  const then = new Date(Date.parse(run.execution.start_time) + 50).toISOString();
  for (const [name, path] of [
    ["overview", "/"],
    ["executions", "/executions"],
    ["workflows", "/workflows"],
    ["workflow", "/workflows/census"],
    ["profile", "/workflows/census/profile"],
    ["task", "/tasks/survey?workflow=census"],
    ["help", "/help"],
    ["no such run", "/executions/none"],
    ["graph", census],
    ["inspector", `${census}?tab=graph&task=history`],
    ["timeline", `${census}?tab=timeline`],
    ["table", `${census}?tab=table`],
    ["data", `${census}?tab=data`],
    ["value", `${census}?tab=data&key=files_seen&version=3`],
    ["events", `${census}?tab=events`],
    ["logs", `${census}?tab=logs`],
    ["llm", `${census}?tab=llm`],
    ["compare", `${census}?tab=compare`],
    ["failed", `/executions/${executions[0]?.execution_id ?? ""}`],
    ["then", `${census}?tab=graph&at=${then}`],
  ] as const) {
    paths.set(name, path);
  }
});

describe.each(["light", "dark"] as const)("%s", (theme) => {
  test.each(NAMES)("%s", async (name) => {
    const opened = await open(paths.get(name) ?? "", { theme });
    const { page } = opened;
    await page.waitForLoadState("networkidle");
    await page.waitForTimeout(400);
    expect(await page.locator("h1").count()).toBe(1);
    await page.evaluate(axe);
    const found = await page.evaluate(async () => {
      const { axe } = window as unknown as { axe: { run: () => Promise<{ violations: Violation[] }> } };
      return (await axe.run()).violations;
    });
    const grave = found.filter(({ impact }) => impact === "serious" || impact === "critical");
    expect(grave.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200) ?? ""}`)).toEqual([]);
    await close(opened);
  });
});

test.each(NAMES)("%s fits 390 pixels", async (name) => {
  const opened = await open(paths.get(name) ?? "", { width: 390, height: 844 });
  await opened.page.waitForLoadState("networkidle");
  await opened.page.waitForTimeout(300);
  const wide = await opened.page.evaluate(() => document.documentElement.scrollWidth);
  expect(wide).toBeLessThanOrEqual(390);
  await close(opened);
});
