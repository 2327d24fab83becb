import { expect, test } from "vitest";

import type { TaskExecution } from "../src/api/types";
import { lanes, tracks } from "../src/pages/execution/timeline/lanes";
import { gapsBetween, ticks, TimeScale } from "../src/pages/execution/timeline/scale";

const row = (task_id: string, start: number, words: Partial<TaskExecution> = {}) =>
  ({
    task_id,
    task_execution_id: `${task_id}.${start}`,
    start_time: `2026-11-23T12:00:0${start}Z`,
    duration: 1,
    ...words,
  }) as TaskExecution;

test("the axis goes there and back", () => {
  const scale = new TimeScale(
    0,
    100,
    [
      { from: 0, to: 10 },
      { from: 90, to: 100 },
    ],
    true,
  );
  expect(scale.gaps).toHaveLength(1);
  for (const time of [0, 5, 10, 50, 90, 95, 100]) expect(scale.time(scale.place(time))).toBeCloseTo(time);
  expect(scale.place(10) - scale.place(0)).toBeGreaterThan(0.45);
  expect(scale.place(100)).toBe(1);
  const plain = new TimeScale(0, 100, [], false);
  expect(plain.place(25)).toBe(0.25);
});

test("gaps", () => {
  const spans = [
    { from: 20, to: 30 },
    { from: 0, to: 10 },
    { from: 5, to: 12 },
  ];
  expect(gapsBetween(spans, 0, 40)).toEqual([
    { from: 12, to: 20 },
    { from: 30, to: 40 },
  ]);
});

test("ticks are round and few", () => {
  expect(ticks(0, 1_000_000, 5)).toEqual([0, 200_000, 400_000, 600_000, 800_000, 1_000_000]);
  expect(ticks(0, 600e6, 5).map((time) => time / 1e6)).toEqual([0, 120, 240, 360, 480, 600]);
  expect(ticks(3, 17, 5)).toEqual([5, 10, 15]);
  for (const to of [1, 7, 999, 12_345_678, 1e12]) expect(ticks(0, to, 6).length).toBeLessThanOrEqual(8);
});

test("bars that overlap stand side by side", () => {
  expect(
    tracks([
      { from: 0, to: 5 },
      { from: 1, to: 3 },
      { from: 4, to: 6 },
      { from: 5, to: 9 },
    ]),
  ).toEqual({
    of: [0, 1, 1, 0],
    count: 2,
  });
  expect(tracks(Array.from({ length: 100 }, () => ({ from: 0, to: 1 }))).count).toBe(6);
});

test("rows by task, with groups opened or closed", () => {
  const tasks = [row("a", 0), row("m1", 1, { group: "g" }), row("m2", 1, { group: "g" }), row("b", 2)];
  const open = lanes(tasks, "task", () => true);
  expect(open.map(({ id, depth }) => [id, depth])).toEqual([
    ["a", 0],
    ["g", 0],
    ["m1", 1],
    ["m2", 1],
    ["b", 0],
  ]);
  const closed = lanes(tasks, "task", () => false);
  expect(closed.map(({ id, rows }) => [id, rows.length])).toEqual([
    ["a", 1],
    ["g", 2],
    ["b", 1],
  ]);
});

test("rows by worker", () => {
  const tasks = [
    row("a", 0, { worker: "w-10" }),
    row("b", 1, { worker: "w-2" }),
    row("c", 2, { thread: "main" }),
  ];
  expect(lanes(tasks, "worker", () => true).map(({ label }) => label)).toEqual(["main", "w-2", "w-10"]);
});
