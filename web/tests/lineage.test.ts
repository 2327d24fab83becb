/** What is lit when a value is picked: exactly those who have to do with it. */
import { expect, test } from "vitest";

import type { DataEdge, ValueRead, ValueWrite } from "../src/api/types";
import { Lineage } from "../src/pages/execution/data/lineage";

const time = (at: number) => `2026-11-23T12:00:0${at}Z`;
const who = (task: string) => ({ task_id: task, task_execution_id: `${task}-1` });
const write = (key: string, task: string, at: number) =>
  ({ channel: "main", key, version: 1, time: time(at), ...who(task) }) as ValueWrite;
const read = (key: string, task: string, at: number) =>
  ({ channel: "main", key, version: 1, time: time(at), ...who(task) }) as ValueRead;

// config → fetch → rows → clean → table → report; logs is read by nobody of these.
const writes = [
  write("config", "load", 0),
  write("rows", "fetch", 2),
  write("table", "clean", 4),
  write("logs", "watch", 4),
];
const reads = [
  read("config", "fetch", 1),
  read("rows", "clean", 3),
  read("table", "report", 5),
  read("config", "watch", 1),
];
const edges = reads.map((one) => ({
  ...one,
  writer: who(writes.find((other) => other.key === one.key)?.task_id ?? ""),
  reader: who(one.task_id ?? ""),
})) as unknown as DataEdge[];
const lineage = new Lineage({ writes, reads, edges });
const lit = (key: string) => {
  const picked = writes.find((one) => one.key === key);
  return picked && [...lineage.touching(picked).tasks].sort();
};

test.each([
  ["config", ["clean", "fetch", "load", "report", "watch"]],
  ["rows", ["clean", "fetch", "load", "report"]],
  ["table", ["clean", "fetch", "load", "report"]],
  ["logs", ["load", "watch"]],
])("%s", (key, tasks) => expect(lit(key)).toEqual(tasks));
