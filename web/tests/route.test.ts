import { expect, test } from "vitest";

import { parse, path, type Route } from "../src/router/route";

const HOSTILE = ["plain", "a/b", "ü %2F ?#", "<script>", "..", "x".repeat(10_000), "\u202Eabc"];

const ROUTES: Route[] = [
  { page: "overview" },
  { page: "executions" },
  { page: "workflows" },
  { page: "help" },
  ...HOSTILE.flatMap((word): Route[] => [
    { page: "execution", id: word },
    { page: "workflow", name: word },
    { page: "profile", name: word },
    { page: "task", id: word },
  ]),
];

test("every page's address is read back", () => {
  for (const route of ROUTES) expect(parse(path(route))).toEqual(route);
});

test("what is no page is told so", () => {
  for (const other of ["/nothing", "/executions/a/b", "/workflows/a/b", "/tasks"]) {
    expect(parse(other)).toEqual({ page: "missing", path: other });
  }
  expect(parse("/executions/%E0%A4%A")).toEqual({ page: "execution", id: "%E0%A4%A" });
});
