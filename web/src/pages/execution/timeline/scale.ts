/**
 * From time to place on the axis and back. With squeezing, stretches in which nothing happened take a fixed small
 * width instead of their length. Places are fractions of the whole axis, 0 to 1; the window on it is somebody else's.
 */
export interface Span {
  from: number;
  to: number;
}

export interface Gap extends Span {
  /** Where the squeezed gap stands on the axis. */
  at: number;
  width: number;
}

/** Shorter than this share of the run is no gap worth squeezing. */
const LEAST_SHARE = 0.04;
/** What a squeezed gap takes of the busy time. */
const SQUEEZED = 0.015;

export class TimeScale {
  readonly gaps: Gap[] = [];
  private readonly times: number[] = [];
  private readonly places: number[] = [];

  constructor(
    readonly start: number,
    readonly end: number,
    spans: readonly Span[],
    squeeze: boolean,
  ) {
    const length = Math.max(1, end - start);
    const idle = squeeze
      ? gapsBetween(spans, start, end).filter((gap) => gap.to - gap.from > length * LEAST_SHARE)
      : [];
    const busy = Math.max(1, length - idle.reduce((sum, gap) => sum + gap.to - gap.from, 0));
    const whole = busy * (1 + SQUEEZED * idle.length);
    let place = 0;
    let time = start;
    this.mark(start, 0);
    for (const gap of idle) {
      place += (gap.from - time) / whole;
      this.mark(gap.from, place);
      const width = (busy * SQUEEZED) / whole;
      this.gaps.push({ ...gap, at: place, width });
      place += width;
      this.mark(gap.to, place);
      time = gap.to;
    }
    this.mark(Math.max(end, start + 1), 1);
  }

  private mark(time: number, place: number): void {
    this.times.push(time);
    this.places.push(place);
  }

  place(time: number): number {
    return between(this.times, this.places, time);
  }

  time(place: number): number {
    return between(this.places, this.times, place);
  }
}

/** Linear between known points, and on beyond the last ones. */
function between(xs: readonly number[], ys: readonly number[], x: number): number {
  let low = 0;
  let high = xs.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((xs[middle] ?? 0) <= x) low = middle;
    else high = middle;
  }
  const [x0 = 0, x1 = 1, y0 = 0, y1 = 1] = [xs[low], xs[high], ys[low], ys[high]];
  return x1 === x0 ? y1 : y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
}

/** Where none of the spans is, between start and end. */
export function gapsBetween(spans: readonly Span[], start: number, end: number): Span[] {
  const gaps: Span[] = [];
  let reached = start;
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    if (span.from > reached) gaps.push({ from: reached, to: Math.min(span.from, end) });
    reached = Math.max(reached, span.to);
    if (reached >= end) break;
  }
  if (reached < end) gaps.push({ from: reached, to: end });
  return gaps;
}

/** Round times between two, at most so many: 1, 2 or 5 of a power of ten, or whole minutes and hours. */
export function ticks(from: number, to: number, most: number): number[] {
  const SIXTIES = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400];
  const least = (to - from) / Math.max(1, most);
  let step: number | undefined;
  if (least > 1e6)
    step =
      SIXTIES.map((seconds) => seconds * 1e6).find((one) => one >= least) ?? Math.ceil(least / 864e8) * 864e8;
  else {
    const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
    step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= least) ?? power * 10;
  }
  const first = Math.ceil(from / step) * step;
  const marks: number[] = [];
  for (let at = first; at <= to && marks.length <= most + 2; at += step) marks.push(at);
  return marks;
}
