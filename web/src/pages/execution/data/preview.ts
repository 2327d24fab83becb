/** A value's preview as text; never longer than a screen. */
const MOST = 4_000;

export function preview(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, isFlat(value) ? 0 : 1);
  return text.length > MOST ? `${text.slice(0, MOST)}…` : text;
}

/** Lists of plain values read better on one line. */
function isFlat(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return Object.values(value).every((part) => typeof part !== "object" || part === null);
}
