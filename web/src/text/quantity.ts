/** Numbers with their units, as a person would say them. The same words as `graflow lineage` uses. */

/** Seconds, with three digits that matter; from a minute on with minutes, from an hour on with hours. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const micros = Math.round(Math.max(0, seconds) * 1e6);
  if (micros < 999.5) return `${micros} µs`;
  if (micros < 9_995) return `${(micros / 1e3).toFixed(2)} ms`;
  if (micros < 99_950) return `${(micros / 1e3).toFixed(1)} ms`;
  if (micros < 999_500) return `${(micros / 1e3).toFixed(0)} ms`;
  if (micros < 9_995_000) return `${(micros / 1e6).toFixed(2)} s`;
  if (micros < 59_950_000) return `${(micros / 1e6).toFixed(1)} s`;
  const whole = Math.round(micros / 1e6);
  const two = (number: number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3_600);
  if (hours === 0) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  if (hours < 24) return `${hours} h ${two(Math.floor(whole / 60) % 60)} m`;
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
}

/** A number with its thousands set apart. */
export function count(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A number of things. */
export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** Bytes, in units of 1,024. */
export function bytes(number: number | null | undefined): string {
  if (number === null || number === undefined) return "–";
  let amount = number;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (amount < 1_023.95) return unit === "B" ? `${amount} B` : `${amount.toFixed(1)} ${unit}`;
    amount /= 1_024;
  }
  return `${amount.toFixed(1)} TiB`;
}

/** A share of the whole, from 0 to 1; never "100 %" for what is less. */
export function percent(share: number): string {
  const percents = share * 100;
  if (percents > 0 && percents < 0.1) return "< 0.1 %";
  if (percents > 99.9 && percents < 100) return "> 99.9 %";
  const text = percents < 10 || percents > 99 ? percents.toFixed(1) : percents.toFixed(0);
  return `${text.replace(/\.0$/, "")} %`;
}

/** Dollars of model calls. */
export function dollars(amount: number): string {
  return amount >= 1 || amount === 0 ? `$${amount.toFixed(2)}` : `$${amount.toPrecision(2)}`;
}

/** An id, short enough for a line: its beginning where it is a random one. */
export function shortId(id: string): string {
  if (id.length <= 14) return id;
  return /^[0-9a-f-]{32,36}$/i.test(id) ? id.slice(-8) : `${id.slice(0, 13)}…`;
}

/** How much longer or shorter something took, from the share by which it changed (0.38: 38 percent longer). */
export function change(share: number): string {
  if (share >= 1) return `${(share + 1).toFixed(share < 9 ? 1 : 0)} times as long`;
  const percents = Math.round(Math.abs(share) * 100);
  if (percents === 0) return "as long";
  return `${percents} % ${share > 0 ? "slower" : "faster"}`;
}

/** The same for a column: `+38 %`, `−20 %`, `3.6 ×`. */
export function signedChange(share: number): string {
  if (share >= 1) return `${(share + 1).toFixed(share < 9 ? 1 : 0)} ×`;
  const percents = Math.round(Math.abs(share) * 100);
  return percents === 0 ? "–" : `${share > 0 ? "+" : "−"}${percents} %`;
}

/** The same as a sentence about another run. */
export function changeFrom(share: number, other: string): string {
  const words = change(share);
  return `${words} ${words.endsWith("long") ? "as" : "than"} ${other}`;
}
