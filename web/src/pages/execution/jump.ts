/** Finding the place in a run's log where a time stands. */
import { get } from "../../api/client";
import { micros, type Zone } from "../../text/time";

/** Microseconds since 1970 of what was typed: a time of the run's first day (`12:03:04.5`), a full time, or seconds after its start (`+90`). */
export function timeOf(text: string, start: number, zone: Zone): number | undefined {
  const words = text.trim();
  const after = /^\+\s*(\d+(?:\.\d+)?)\s*s?$/.exec(words);
  if (after) return start + Number(after[1]) * 1e6;
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d{1,6})?))?$/.exec(words);
  if (clock) {
    const [, hours, minutes, seconds] = clock;
    const day = new Date(start / 1_000);
    if (zone === "utc") day.setUTCHours(Number(hours), Number(minutes), 0, 0);
    else day.setHours(Number(hours), Number(minutes), 0, 0);
    return day.getTime() * 1_000 + Number(seconds ?? 0) * 1e6;
  }
  return Number.isFinite(Date.parse(words)) ? micros(words) : undefined;
}

/** The number after which the first event stands that is not before the time. The log is in the order of arrival, nearly that of time. */
export async function seqBefore(id: string, at: number): Promise<number> {
  const ask = async (order: "oldest" | "newest", after?: number) => {
    const query = { order, limit: 1, ...(after === undefined ? {} : { after }) };
    const { events } = await get("/api/executions/{id}/events", { names: { id }, query });
    return events[0];
  };
  const [first, last] = await Promise.all([ask("oldest"), ask("newest")]);
  if (!first || !last) return 0;
  // Numbers are shared with other runs: halve them, not the run's own events. All up to `low` is before the time.
  let low = first.seq - 1;
  let high = last.seq;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const next = await ask("oldest", middle);
    const time = (next?.event as { time?: unknown } | undefined)?.time;
    // What comes after the middle is late enough: the place is not after the middle.
    if (!next || typeof time !== "string" || micros(time) >= at) high = middle;
    else low = next.seq;
  }
  // Between `low` and `high` the first that is late enough.
  const next = await ask("oldest", low);
  const time = (next?.event as { time?: unknown } | undefined)?.time;
  return next && typeof time === "string" && micros(time) < at ? next.seq : low;
}
