import { expect, test } from "vitest";

import { bytes, count, duration, percent, plural, shortId } from "../src/text/quantity";

test.each([
  [0, "0 µs"],
  [0.000_258, "258 µs"],
  [0.009_53, "9.53 ms"],
  [0.0999, "99.9 ms"],
  [0.288, "288 ms"],
  [1.6, "1.60 s"],
  [12.34, "12.3 s"],
  [59.97, "1 m 00 s"],
  [221, "3 m 41 s"],
  [3_600, "1 h 00 m"],
  [90_000, "1 d 01 h"],
  [-1, "0 µs"],
  [null, "–"],
])("%s s reads %s", (seconds, text) => expect(duration(seconds)).toBe(text));

test("counts, bytes and shares", () => {
  expect([0, 999, 1_000, 1_234_567].map(count)).toEqual(["0", "999", "1,000", "1,234,567"]);
  expect(plural(1, "task")).toBe("1 task");
  expect(plural(2_000, "task")).toBe("2,000 tasks");
  expect([0, 1_023, 1_024, 1_500_000].map(bytes)).toEqual(["0 B", "1023 B", "1.0 KiB", "1.4 MiB"]);
  expect([0, 0.0001, 0.05, 0.5, 0.9999, 1].map(percent)).toEqual([
    "0 %",
    "< 0.1 %",
    "5 %",
    "50 %",
    "> 99.9 %",
    "100 %",
  ]);
});

test("ids become short where they can", () => {
  expect(shortId("run-1")).toBe("run-1");
  expect(shortId("01a20944-e6f6-7642-9377-00f4ed43239b")).toBe("ed43239b");
  expect(shortId("a-very-long-name-that-somebody-chose")).toBe("a-very-long-n…");
});
