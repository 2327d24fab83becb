/** When task executions ran, and where they stood at a time. */
import type { TaskExecution, TaskStatus } from "../../api/types";
import { look } from "../../status";
import { micros, microsOf } from "../../text/time";

/** When a row begins to matter; rows that are only declared come last. */
export function beginOf(row: TaskExecution): number {
  return microsOf(row.start_time) ?? microsOf(row.queued_time) ?? Number.MAX_SAFE_INTEGER;
}

/** From and until when a row ran; what still runs goes on until `now`. */
export function spanOf(row: TaskExecution, now: number): { from: number; to: number } | undefined {
  if (row.start_time === null) return undefined;
  const from = micros(row.start_time);
  // The monotonic duration is the better one where clocks jumped.
  if (row.duration !== null) return { from, to: from + row.duration * 1e6 };
  const end = microsOf(row.end_time);
  return { from, to: Math.max(from, end ?? (look(row.status).open ? now : from)) };
}

/** Where a row stood at a time, by its own times; none when it had not begun. */
export function cut(row: TaskExecution, at: number): TaskStatus | undefined {
  const start = microsOf(row.start_time);
  const queued = microsOf(row.queued_time);
  const end = microsOf(row.end_time);
  if (end !== null && end <= at) return row.status;
  if (start !== null && start <= at) return end === null && !look(row.status).open ? row.status : "running";
  return queued !== null && queued <= at ? "queued" : undefined;
}
