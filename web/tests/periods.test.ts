import { expect, test } from "vitest";

import { periods, unitOf } from "../src/components/periods";
import { change, changeFrom, signedChange } from "../src/text/quantity";

const HOUR = 3_600e6;
const at = (time: string) => Date.parse(time) * 1_000;

test("a span has the unit that neither makes one box nor hundreds", () => {
  for (const [span, unit] of [
    [0, "ten minutes"],
    [3 * HOUR, "ten minutes"],
    [24 * HOUR, "hour"],
    [30 * 24 * HOUR, "day"],
    [365 * 24 * HOUR, "week"],
  ] as const) {
    expect(unitOf(span)).toBe(unit);
  }
});

test("runs fall into their days, days without a run stay, failures are counted apart", () => {
  const runs = [1, 2, 3, 4].map((duration) => ({
    at: at("2026-11-20T10:00:00Z"),
    duration,
    status: "completed",
  }));
  runs.push({ at: at("2026-11-22T23:59:59Z"), duration: 9, status: "failed" });
  const found = periods(runs, "day", "utc");
  expect(found.map(({ name, completed, failed }) => [name, completed, failed])).toEqual([
    ["2026-11-20", 4, 0],
    ["2026-11-21", 0, 0],
    ["2026-11-22", 0, 1],
  ]);
  expect(found[0]?.box).toEqual([1, 1, 2, 3, 4]);
  expect(found[1]?.box).toBeUndefined();
});

test("a week begins on Monday", () => {
  const run = (time: string) => ({ at: at(time), duration: 1, status: "completed" });
  const found = periods([run("2026-11-22T23:00:00Z"), run("2026-11-23T01:00:00Z")], "week", "utc");
  expect(found.map(({ name }) => name)).toEqual(["2026-11-16", "2026-11-23"]);
  expect(periods([], "week", "utc")).toEqual([]);
});

test("a change is said as a person would", () => {
  for (const [share, words] of [
    [0.38, "38 % slower"],
    [-0.2, "20 % faster"],
    [0.001, "as long"],
    [1.4, "2.4 times as long"],
    [99, "100 times as long"],
  ] as const) {
    expect(change(share)).toBe(words);
  }
  expect([0.38, -0.2, 2.6, 0].map(signedChange)).toEqual(["+38 %", "−20 %", "3.6 ×", "–"]);
  expect(changeFrom(0.38, "the last")).toBe("38 % slower than the last");
  expect(changeFrom(2, "the last")).toBe("3.0 times as long as the last");
});
