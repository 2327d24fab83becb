/** A run from start to end while somebody looks: the picture ends as REST says, also when the line was cut. */
import { createServer, connect, type AddressInfo, type Socket } from "node:net";

import { describe, expect, inject, test } from "vitest";

import type { Graph, TaskExecution } from "../src/api/types";
import { ask, close, open, post, withBrowser } from "./browser";
import { Producer } from "./events";

withBrowser();

/** Passes bytes on to the server until it is told to cut them. */
async function cuttable(): Promise<{
  url: string;
  cut: () => void;
  refuse: (on: boolean) => void;
  close: () => void;
}> {
  const target = new URL(inject("url"));
  const sockets = new Set<Socket>();
  let refusing = false;
  const proxy = createServer((near) => {
    if (refusing) return void near.destroy();
    const far = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.pipe(to).on("error", () => to.destroy());
      from.on("error", () => to.destroy()).on("close", () => void (sockets.delete(from), to.destroy()));
    }
  });
  await new Promise<void>((listening) => proxy.listen(0, "127.0.0.1", listening));
  const cut = () => sockets.forEach((socket) => socket.destroy());
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    cut,
    refuse: (on) => (refusing = on),
    close: () => void (cut(), proxy.close()),
  };
}

const TASKS = ["fetch", "left", "right", "join"];

function stages(producer: Producer): object[][] {
  const node = (id: string) => ({ id, task_type: "Task", kind: "static" });
  const edge = (source: string, target: string) => ({ source, target, kind: "static" });
  const graph = {
    nodes: TASKS.map(node),
    edges: [edge("fetch", "left"), edge("fetch", "right"), edge("left", "join"), edge("right", "join")],
  };
  return [
    [producer.event("workflow_started", 0), producer.event("graph_changed", 1, { data: graph })],
    [producer.task("task_started", 10, "fetch")],
    [
      producer.task("task_completed", 400, "fetch"),
      producer.task("task_started", 410, "left"),
      producer.task("task_started", 420, "right"),
    ],
    [
      producer.task("task_completed", 900, "left"),
      producer.task("task_completed", 950, "right"),
      producer.task("task_started", 960, "join"),
    ],
    [producer.task("task_completed", 1_200, "join"), producer.event("workflow_completed", 1_210)],
  ];
}

async function picture(opened: Awaited<ReturnType<typeof open>>): Promise<Record<string, string>> {
  const cards = await opened.page.locator(".card-box").all();
  const pairs = await Promise.all(
    cards.map(async (card) => [
      await card.locator(".name").textContent(),
      await card.locator("svg[aria-label]").first().getAttribute("aria-label"),
    ]),
  );
  return Object.fromEntries(pairs) as Record<string, string>;
}

async function recorded(id: string): Promise<Record<string, string>> {
  const graph = await ask<Graph>(`/api/executions/${id}/graph`);
  return Object.fromEntries(graph.nodes.map((node) => [node.id, node.data.status]));
}

describe("a run that is watched", () => {
  test("ends as REST says", async () => {
    const producer = new Producer("live-1", "live");
    const [first = [], ...rest] = stages(producer);
    await post(first);
    const opened = await open("/executions/live-1");
    await opened.page.getByRole("heading", { name: /running/ }).waitFor();
    for (const stage of rest) {
      await post(stage);
      await opened.page.waitForTimeout(150);
    }
    await opened.page.getByRole("heading", { name: /completed/ }).waitFor();
    expect(await opened.page.title()).toMatch(/^completed · live/);
    await expect.poll(() => picture(opened)).toEqual(await recorded("live-1"));
    await opened.page.keyboard.press("3");
    const rows = opened.page.getByRole("table", { name: "Task executions" }).getByRole("row");
    await expect.poll(() => rows.count()).toBe(TASKS.length + 1);
    await close(opened);
  });

  test("loses nothing when the line is cut in the middle", async () => {
    const producer = new Producer("live-2", "live");
    const [first = [], second = [], third = [], ...rest] = stages(producer);
    await post(first);
    const line = await cuttable();
    const opened = await open("/executions/live-2", { url: line.url });
    await opened.page.getByRole("heading", { name: /running/ }).waitFor();
    await post(second);
    line.refuse(true);
    line.cut();
    await opened.page.getByText("Connection lost, trying again").waitFor();
    await post(third);
    line.refuse(false);
    await opened.page.getByText("Live", { exact: true }).waitFor();
    for (const stage of rest) await post(stage);
    await opened.page.getByRole("heading", { name: /completed/ }).waitFor();
    await expect.poll(() => picture(opened)).toEqual(await recorded("live-2"));
    line.close();
    await opened.page.context().close();
  });

  test("shows up in the list by itself", async () => {
    const opened = await open("/executions?workflow_name=listed");
    await opened.page.getByText("No run matches").waitFor();
    const producer = new Producer("live-3", "listed");
    await post([producer.event("workflow_started", 0)]);
    await opened.page.getByRole("link", { name: "listed" }).waitFor();
    await post([producer.event("workflow_completed", 5)]);
    await opened.page.getByRole("cell", { name: "completed", exact: true }).waitFor();
    await close(opened);
  });
});

test("the time slider shows what the server says of that time", async () => {
  const producer = new Producer("then-1", "then");
  for (const stage of stages(producer)) await post(stage);
  const { task_executions } = await ask<{ task_executions: TaskExecution[] }>("/api/executions/then-1");
  const times = task_executions.flatMap((row) => [row.start_time ?? "", row.end_time ?? ""]);
  const words: Record<string, string> = { pending: "not run" };
  for (const time of times.slice(0, 5)) {
    const graph = await ask<Graph>(`/api/executions/then-1/graph?at=${encodeURIComponent(time)}`);
    const told = Object.fromEntries(
      graph.nodes.map((node) => [node.id, words[node.data.status] ?? node.data.status]),
    );
    const opened = await open(`/executions/then-1?at=${encodeURIComponent(time)}`);
    await opened.page.locator(".card-box").first().waitFor();
    await expect.poll(() => picture(opened), { message: time }).toEqual(told);
    await close(opened);
  }
});
