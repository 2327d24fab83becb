/** Points in time. On the wire they are RFC 3339 in UTC with microseconds; here they are microseconds since 1970. */

/** What a page shows times in. */
export type Zone = "local" | "utc";

/** The day of the time that was read last: most times on a page are of the same one. */
let lastDay = "";
let lastMidnight = 0;

/** Microseconds since 1970. A `Date` alone would lose the last three digits; and pages read tens of thousands of times at once. */
export function micros(time: string): number {
  if (!time.endsWith("Z") || time.length < 20) return microsAnywhere(time);
  const day = time.slice(0, 10);
  if (day !== lastDay) {
    lastMidnight = Date.parse(`${day}T00:00:00Z`) * 1_000;
    lastDay = day;
  }
  const seconds = (pair(time, 11) * 60 + pair(time, 14)) * 60 + pair(time, 17);
  let below = 0;
  for (let at = 20; at < 26; at += 1) below = below * 10 + (at < time.length - 1 ? digit(time, at) : 0);
  return lastMidnight + seconds * 1e6 + below;
}

/** With an offset, or without seconds. */
function microsAnywhere(time: string): number {
  const fraction = /\.(\d{1,6})/.exec(time)?.[1] ?? "";
  const below = Number(fraction.padEnd(6, "0").slice(3));
  return Date.parse(time) * 1_000 + below;
}

const digit = (text: string, at: number) => text.charCodeAt(at) - 48;
const pair = (text: string, at: number) => digit(text, at) * 10 + digit(text, at + 1);

/** The same, or none. */
export function microsOf(time: string | null | undefined): number | null {
  return time === null || time === undefined ? null : micros(time);
}

/** RFC 3339 in UTC with microseconds. */
export function rfc3339(time: number): string {
  const whole = Math.floor(time / 1_000);
  const below = String(Math.floor(time - whole * 1_000)).padStart(3, "0");
  return new Date(whole).toISOString().replace("Z", `${below}Z`);
}

const two = (number: number) => String(number).padStart(2, "0");

function parts(time: number, zone: Zone) {
  const date = new Date(Math.floor(time / 1_000));
  return zone === "utc"
    ? {
        day: `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`,
        clock: `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`,
      }
    : {
        day: `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
        clock: `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
      };
}

/** Day and time, to the second. */
export function dayAndTime(time: number, zone: Zone): string {
  const { day, clock } = parts(time, zone);
  return `${day} ${clock}${zone === "utc" ? " UTC" : ""}`;
}

/** Only the day. */
export function dayOf(time: number, zone: Zone): string {
  return parts(time, zone).day;
}

/** The time of a day, with so many digits after the second. */
export function timeOfDay(time: number, zone: Zone, digits = 3): string {
  const below = String(Math.floor(time) % 1_000_000).padStart(6, "0");
  return parts(time, zone).clock + (digits > 0 ? `.${below.slice(0, digits)}` : "");
}

/** How long ago, in one unit. */
export function age(now: number, then: number): string {
  const seconds = Math.trunc((now - then) / 1e6);
  if (seconds < -1) return "in the future";
  if (seconds < 2) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}
