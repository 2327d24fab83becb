import { expect, test } from "vitest";

import type { TaskExecution } from "../src/api/types";
import { asCsv } from "../src/pages/execution/csv";
import { matches } from "../src/pages/execution/filter";
import { errorReport } from "../src/pages/execution/report";

const row = (words: Partial<TaskExecution>) =>
  ({
    task_id: "validate",
    status: "failed",
    iteration: 2,
    attempt: 1,
    error_message: null,
    ...words,
  }) as TaskExecution;

test.each([
  ["", true],
  ["status:failed", true],
  ["status:fail", false],
  ["task:val*", true],
  ["task:*date pass:3", true],
  ["task:val* pass:2", false],
  ["VALID", true],
  ["task:.*", false],
  ["task:", true],
  ["unknown:word", false],
])("%s", (words, expected) => expect(matches(row({}), words)).toBe(expected));

test("CSV is quoted, and runs nowhere", () => {
  const text = asCsv([row({ task_id: '=HYPERLINK("x")', error_message: "a,b\nc" })]);
  const [, line] = text.split("\r\n");
  expect(line).toContain(`"'=HYPERLINK(""x"")"`);
  expect(text).toContain('"a,b\nc"');
});

test("a report cannot be broken out of", () => {
  const execution = {
    workflow_name: "etl",
    status: "failed",
    duration: 2,
    execution_id: "a/b",
    start_time: "t",
  };
  const failed = row({ error: { type: "E", message: "```\n# not a heading" } });
  const text = errorReport(execution as never, failed, "http://here/");
  expect(text).toContain("- run: http://here/executions/a%2Fb");
  expect(text).toContain("````text\nE: ```\n# not a heading\n````");
});
