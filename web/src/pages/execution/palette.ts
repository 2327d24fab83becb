/** What graph and timeline draw with: the theme's colours, which of them stands for a status, and the page's font. */
import { colours } from "../../components/colours.svelte";

const NAMES = [
  "completed",
  "failed",
  "running",
  "waiting",
  "lost",
  "queued",
  "quiet",
  "line",
  "line-strong",
  "surface",
  "sunken",
  "back",
  "ink",
  "soft",
  "faint",
  "accent",
  "accent-back",
] as const;
export type Palette = Record<(typeof NAMES)[number], string>;

const TONES = new Set<string>(["completed", "failed", "running", "waiting", "lost", "queued"]);

/** Reads reactive state: what draws with it draws again in the other theme. */
export const palette = (): Palette => colours(NAMES);

/** The colour of a status; quiet is what did not run, or is not known here. */
export const toneOf = (palette: Palette, status: string): string =>
  TONES.has(status) ? palette[status as keyof Palette] : palette.quiet;

let family: string | undefined;

/** A font for a canvas, of so many pixels. */
export function font(size: number, weight = 400): string {
  family ??= getComputedStyle(document.body).fontFamily;
  return `${weight} ${size}px ${family}`;
}
