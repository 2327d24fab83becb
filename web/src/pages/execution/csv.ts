/** Task executions as CSV (RFC 4180), for a spreadsheet. */
import type { TaskExecution } from "../../api/types";

const COLUMNS: [string, (row: TaskExecution) => unknown][] = [
  ["task_id", (row) => row.task_id],
  ["task_execution_id", (row) => row.task_execution_id],
  ["status", (row) => row.status],
  ["iteration", (row) => row.iteration],
  ["attempt", (row) => row.attempt],
  ["will_retry", (row) => row.will_retry],
  ["queued_time", (row) => row.queued_time],
  ["start_time", (row) => row.start_time],
  ["end_time", (row) => row.end_time],
  ["duration", (row) => row.duration],
  ["worker", (row) => row.worker],
  ["error_message", (row) => row.error_message],
];

export function asCsv(rows: TaskExecution[]): string {
  const lines = [
    COLUMNS.map(([name]) => name),
    ...rows.map((row) => COLUMNS.map(([, value]) => cell(value(row)))),
  ];
  return lines.map((line) => `${line.join(",")}\r\n`).join("");
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  let text = String(value);
  // A spreadsheet would run text that begins so as a formula.
  if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
