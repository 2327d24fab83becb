import { expect, test } from "vitest";

import { age, dayAndTime, micros, rfc3339, timeOfDay } from "../src/text/time";

test("microseconds survive", () => {
  for (const time of [
    "2026-11-23T12:00:00.123456Z",
    "2026-11-23T12:00:00.000001Z",
    "1999-12-31T23:59:59.999999Z",
  ]) {
    expect(rfc3339(micros(time))).toBe(time);
  }
  expect(micros("2026-11-23T12:00:00Z") % 1_000_000).toBe(0);
});

test("every form that servers and addresses have", () => {
  const noon = Date.UTC(2026, 10, 23, 12) * 1_000;
  const forms: [string, number][] = [
    ["2026-11-23T12:00:00.5Z", 500_000],
    ["2026-11-23T12:00:01.000123Z", 1_000_123],
    ["2026-11-24T00:00:00Z", 12 * 3_600e6],
    ["2026-11-23T12:00Z", 0],
    ["2026-11-23T13:00:00.25+01:00", 250_000],
  ];
  for (const [text, after] of forms) expect(micros(text) - noon, text).toBe(after);
});

test("in words", () => {
  const time = micros("2026-11-23T12:00:00.123456Z");
  expect(dayAndTime(time, "utc")).toBe("2026-11-23 12:00:00 UTC");
  expect(timeOfDay(time, "utc", 6)).toBe("12:00:00.123456");
  expect(timeOfDay(time, "utc", 0)).toBe("12:00:00");
});

test("ages", () => {
  const ages = [-5, 1, 59, 60, 7_200, 200_000].map((seconds) => age(seconds * 1e6, 0));
  expect(ages).toEqual(["in the future", "just now", "59 s ago", "1 min ago", "2 h ago", "2 d ago"]);
});
