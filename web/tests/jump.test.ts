import { expect, test } from "vitest";

import { timeOf } from "../src/pages/execution/jump";

const START = Date.parse("2026-11-23T12:00:00Z") * 1_000;

test("a time is typed as people say it", () => {
  for (const [text, after] of [
    ["+90", 90],
    ["+1.5 s", 1.5],
    ["12:00:04.25", 4.25],
    ["12:01", 60],
    ["2026-11-23T12:00:00.000007Z", 0.000007],
  ] as const) {
    expect(timeOf(text, START, "utc"), text).toBeCloseTo(START + after * 1e6, 0);
  }
  for (const wrong of ["", "soon", "+", "1:2:3"]) expect(timeOf(wrong, START, "utc"), wrong).toBeUndefined();
});
