/** The value that a share of the numbers does not exceed (nearest rank); 0 of none. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/** How many numbers fall into each of so many equal ranges from the least to the greatest. */
export function histogram(
  numbers: readonly number[],
  ranges: number,
): { from: number; to: number; count: number }[] {
  if (numbers.length === 0) return [];
  const least = numbers.reduce((a, b) => Math.min(a, b));
  const most = numbers.reduce((a, b) => Math.max(a, b));
  const step = (most - least) / ranges || 1;
  const counts = Array.from({ length: ranges }, () => 0);
  for (const number of numbers) {
    const at = Math.min(ranges - 1, Math.floor((number - least) / step));
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts.map((count, n) => ({ from: least + n * step, to: least + (n + 1) * step, count }));
}
