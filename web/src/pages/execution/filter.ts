/** The filter box over task executions: `status:failed task:val* pass:3 worker:w-1 text`; everything must hold. */
import type { TaskExecution } from "../../api/types";

type Test = (row: TaskExecution, pattern: RegExp) => boolean;

const FIELDS: Record<string, Test> = {
  status: (row, pattern) => pattern.test(row.status),
  task: (row, pattern) => pattern.test(row.task_id),
  pass: (row, pattern) => pattern.test(String(row.iteration + 1)),
  attempt: (row, pattern) => pattern.test(String(row.attempt)),
  worker: (row, pattern) => pattern.test(row.worker ?? row.thread ?? ""),
  group: (row, pattern) => pattern.test(row.group ?? ""),
  error: (row, pattern) => pattern.test(row.error_message ?? ""),
};

export function matches(row: TaskExecution, words: string): boolean {
  return words
    .split(/\s+/)
    .filter(Boolean)
    .every((word) => {
      const [name = "", value] = word.split(/:(.*)/s);
      const field = value === undefined ? undefined : FIELDS[name];
      // With a field the whole must match, `*` stands for anything; without one it is looked for everywhere.
      if (field && value !== undefined) return value === "" || field(row, whole(value));
      const text = [row.task_id, row.status, row.error_message, row.worker, row.task_execution_id].join(" ");
      return text.toLowerCase().includes(word.toLowerCase());
    });
}

function whole(value: string): RegExp {
  const parts = value.split("*").map((part) => part.replace(/[\\^$.+?()[\]{}|/-]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^]*")}$`, "i");
}
