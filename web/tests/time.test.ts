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
