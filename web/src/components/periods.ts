/** Durations by period, for boxes: what lies in the middle, how far it spreads, and what failed. */
import { dayOf, timeOfDay, type Zone } from "../text/time";
import { percentile } from "./percentile";

export interface Period {
  /** Where it begins, for the axis. */
  name: string;
  /** Runs that completed. */
  completed: number;
  /** Runs that ended otherwise. */
  failed: number;
  /** Seconds of those that completed: 5th, 25th, 50th, 75th, 95th percentile; none of none. */
  box: [number, number, number, number, number] | undefined;
}

export type Unit = "ten minutes" | "hour" | "day" | "week";

const HOUR = 3_600e6;
const UNITS: [Unit, number, number][] = [
  ["ten minutes", HOUR / 6, 4 * HOUR],
  ["hour", HOUR, 60 * HOUR],
  ["day", 24 * HOUR, 90 * 24 * HOUR],
  ["week", 168 * HOUR, Infinity],
];
/** Older periods are left out: more boxes than these nobody can tell apart. */
const MOST = 60;

/** The unit in which a span, in microseconds, has neither one box nor hundreds. */
export function unitOf(span: number): Unit {
  return UNITS.find(([, , most]) => span < most)?.[0] ?? "week";
}

/** Periods from the first to the last that has a run, also those without. Times are microseconds since 1970. */
export function periods(
  runs: readonly { at: number; duration: number; status: string }[],
  unit: Unit,
  zone: Zone,
): Period[] {
  if (runs.length === 0) return [];
  const length = UNITS.find(([name]) => name === unit)?.[1] ?? HOUR;
  const number = (at: number) => Math.floor((at + offset(at, zone, unit)) / length);
  const first = Math.min(...runs.map(({ at }) => number(at)));
  const last = Math.max(...runs.map(({ at }) => number(at)));
  const from = Math.max(first, last - MOST + 1);
  const groups = Array.from({ length: last - from + 1 }, () => ({ all: [] as number[], failed: 0, at: 0 }));
  for (const { at, duration, status } of runs) {
    const group = groups[number(at) - from];
    if (!group) continue;
    if (status === "completed") group.all.push(duration);
    else group.failed += 1;
  }
  return groups.map(({ all, failed }, index) => {
    const begin = (from + index) * length;
    // A little after the beginning: the offset of then is that of the period, not of the one before.
    const at = begin - offset(begin + length / 2, zone, unit);
    return {
      name: unit === "day" || unit === "week" ? dayOf(at, zone) : timeOfDay(at, zone, 0).slice(0, 5),
      completed: all.length,
      failed,
      box:
        all.length === 0
          ? undefined
          : ([0.05, 0.25, 0.5, 0.75, 0.95].map((share) => percentile(all, share)) as Period["box"]),
    };
  });
}

/** From UTC to where a day, or a week, begins: 1970 began on a Thursday. */
function offset(at: number, zone: Zone, unit: Unit): number {
  const local = zone === "utc" ? 0 : -new Date(at / 1_000).getTimezoneOffset() * 60e6;
  return local + (unit === "week" ? 72 * HOUR : 0);
}
