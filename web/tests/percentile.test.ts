import { expect, test } from "vitest";

import { histogram, percentile } from "../src/components/percentile";

test("percentiles are values that were seen", () => {
  const numbers = [5, 1, 4, 2, 3];
  expect([0, 0.5, 0.95, 1].map((share) => percentile(numbers, share))).toEqual([1, 3, 5, 5]);
  expect(percentile([], 0.5)).toBe(0);
});

test("a histogram counts everything once", () => {
  const bars = histogram([1, 1, 2, 9, 10], 3);
  expect(bars.map(({ count }) => count)).toEqual([3, 0, 2]);
  expect(histogram([7, 7], 4).map(({ count }) => count)).toEqual([2, 0, 0, 0]);
  expect(histogram([], 4)).toEqual([]);
});
