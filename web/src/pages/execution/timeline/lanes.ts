/** Which bars stand in which row of the timeline. */
import type { TaskExecution } from "../../../api/types";
import { beginOf } from "../times";

export type LanesBy = "task" | "worker";

export interface Lane {
  id: string;
  label: string;
  /** 1 for members of a group that is open. */
  depth: number;
  rows: TaskExecution[];
  /** Of a group: how many members, and whether they have lanes of their own. */
  group?: { members: number; open: boolean; all: TaskExecution[] };
}

/** Groups with more members than this are closed until somebody opens them. */
export const OPEN_UP_TO = 12;

export function lanes(
  tasks: readonly TaskExecution[],
  by: LanesBy,
  opened: (group: string, members: number) => boolean,
): Lane[] {
  if (by === "worker") return byWorker(tasks);
  const members = new Map<string, Map<string, TaskExecution[]>>();
  const alone = new Map<string, TaskExecution[]>();
  for (const row of tasks) {
    if (row.group) put(inner(members, row.group), row.task_id, row);
    else put(alone, row.task_id, row);
  }
  // A group that has rows of its own keeps them in its lane.
  const order = [...new Set([...alone.keys(), ...members.keys()])];
  const result: Lane[] = [];
  for (const id of order.sort((a, b) => firstOf(a) - firstOf(b))) {
    const of = members.get(id);
    const own = alone.get(id) ?? [];
    if (!of) {
      result.push({ id, label: id, depth: 0, rows: own });
      continue;
    }
    const open = opened(id, of.size);
    const all = [...of.values()].flat();
    const rows = open ? own : [...own, ...all].sort((a, b) => beginOf(a) - beginOf(b));
    result.push({ id, label: id, depth: 0, rows, group: { members: of.size, open, all } });
    if (open) for (const [task, inTask] of of) result.push({ id: task, label: task, depth: 1, rows: inTask });
  }
  return result;

  function firstOf(id: string): number {
    const own = alone.get(id)?.[0];
    const inside = members.get(id)?.values().next().value?.[0];
    return Math.min(own ? beginOf(own) : Infinity, inside ? beginOf(inside) : Infinity);
  }
}

function byWorker(tasks: readonly TaskExecution[]): Lane[] {
  const map = new Map<string, TaskExecution[]>();
  for (const row of tasks) if (row.start_time) put(map, row.worker ?? row.thread ?? "unknown", row);
  return [...map.entries()]
    .sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
    .map(([id, rows]) => ({ id: `worker ${id}`, label: id, depth: 0, rows }));
}

/** Puts overlapping bars side by side: the track of each row, and how many tracks there are. */
export function tracks(
  spans: readonly { from: number; to: number }[],
  most = 6,
): { of: number[]; count: number } {
  const ends: number[] = [];
  const of = spans.map(({ from, to }) => {
    let track = ends.findIndex((end) => end <= from);
    if (track < 0) track = ends.length < most ? ends.length : ends.indexOf(Math.min(...ends));
    ends[track] = Math.max(to, ends[track] ?? 0);
    return track;
  });
  return { of, count: Math.max(1, ends.length) };
}

function inner(map: Map<string, Map<string, TaskExecution[]>>, key: string): Map<string, TaskExecution[]> {
  let found = map.get(key);
  if (!found) map.set(key, (found = new Map()));
  return found;
}

function put<T>(map: Map<string, T[]>, key: string, value: T): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}
