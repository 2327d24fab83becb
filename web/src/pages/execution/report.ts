/** A failure as Markdown, for an issue or a chat. */
import type { Execution, TaskExecution } from "../../api/types";
import { duration } from "../../text/quantity";

/** Text of foreign origin stands in fences that it cannot close. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}

export function errorReport(execution: Execution, failed: TaskExecution | undefined, base: string): string {
  const error = failed?.error ?? execution.error;
  const lines = [
    `**${execution.workflow_name}** ${execution.status}${execution.duration === null ? "" : ` after ${duration(execution.duration)}`}`,
    "",
    `- run: ${base}executions/${encodeURIComponent(execution.execution_id)}`,
    `- started: ${execution.start_time}`,
  ];
  if (failed) {
    lines.push(`- task: \`${failed.task_id}\`, pass ${failed.iteration + 1}, attempt ${failed.attempt}`);
  }
  if (execution.code?.git_commit) lines.push(`- commit: ${execution.code.git_commit}`);
  if (error) lines.push("", fenced(`${error.type}: ${error.message}`));
  if (error?.traceback) lines.push("", fenced(error.traceback));
  return `${lines.join("\n")}\n`;
}
