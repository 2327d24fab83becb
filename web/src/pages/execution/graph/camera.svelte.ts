/** Which part of the picture is in view. A point of the picture stands at `(point - corner) * zoom`. */
import { router } from "../../../router/router.svelte";
import type { Box } from "./picture";

const LEAST = 0.01;
const MOST = 4;
const MARGIN = 24;
/** Names on cards can be read from here on. */
const READABLE = 0.5;

export interface Look {
  x: number;
  y: number;
  zoom: number;
}

export class Camera {
  width = $state(800);
  height = $state(400);
  private moved: Look | undefined = $state.raw();
  private settle: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly bounds: () => Box,
    /** What should be seen when not everything can. */
    private readonly focus: () => Box | undefined,
    /** Whether it is small enough to be read as a whole, if need be by panning. */
    private readonly isReadable: () => boolean,
  ) {}

  /** What the address says. */
  private readonly linked: Look | undefined = $derived.by(() => {
    const [x, y, zoom] = (router.word("view") ?? "").split(",").map(Number);
    const isLook = [x, y, zoom].every((number) => number !== undefined && Number.isFinite(number));
    return isLook && zoom ? { x: x ?? 0, y: y ?? 0, zoom: clamp(zoom) } : undefined;
  });

  /** Until somebody moves it, everything is in view. */
  readonly look: Look = $derived.by(() => this.moved ?? this.linked ?? this.fitted(this.bounds()));

  readonly isFitted: boolean = $derived(!this.moved && !this.linked);

  readonly shown: Box = $derived({
    x: this.look.x,
    y: this.look.y,
    width: this.width / this.look.zoom,
    height: this.height / this.look.zoom,
  });

  fit(): void {
    this.moved = undefined;
    clearTimeout(this.settle);
    router.set({ view: null }, true);
  }

  pan(byX: number, byY: number): void {
    const { x, y, zoom } = this.look;
    this.move({ x: x + byX / zoom, y: y + byY / zoom, zoom });
  }

  /** Zooms; the point at these pixels stays where it is. */
  zoomBy(factor: number, atX = this.width / 2, atY = this.height / 2): void {
    const { x, y, zoom } = this.look;
    const next = clamp(zoom * factor);
    this.move({ x: x + atX / zoom - atX / next, y: y + atY / zoom - atY / next, zoom: next });
  }

  /** Brings a box into the middle; never smaller than it is now. */
  centre(box: Box, atLeast = 0): void {
    const zoom = clamp(Math.max(this.look.zoom, atLeast));
    this.move({
      x: box.x + box.width / 2 - this.width / zoom / 2,
      y: box.y + box.height / 2 - this.height / zoom / 2,
      zoom,
    });
  }

  move(look: Look): void {
    this.moved = look;
    clearTimeout(this.settle);
    this.settle = setTimeout(() => {
      const { x, y, zoom } = look;
      router.set({ view: `${Math.round(x)},${Math.round(y)},${Number(zoom.toPrecision(4))}` }, true);
      this.moved = undefined;
    }, 250);
  }

  private fitted(bounds: Box): Look {
    const across = (this.width - 2 * MARGIN) / Math.max(1, bounds.width);
    const down = (this.height - 2 * MARGIN) / Math.max(1, bounds.height);
    const whole = clamp(Math.min(1, across, down));
    const zoom = this.isReadable() ? Math.max(READABLE, whole) : whole;
    const [wide, high] = [this.width / zoom, this.height / zoom];
    const focus = this.focus();
    // What does not fit begins at its start, or where the selection is.
    const along = (start: number, size: number, room: number, at: number | undefined) => {
      const margin = MARGIN / zoom;
      if (size + 2 * margin <= room) return start + size / 2 - room / 2;
      const middle = at ?? start;
      return Math.min(Math.max(middle - room / 2, start - margin), start + size + margin - room);
    };
    return {
      x: along(bounds.x, bounds.width, wide, focus && focus.x + focus.width / 2),
      y: along(
        bounds.y,
        bounds.height,
        high,
        focus ? focus.y + focus.height / 2 : bounds.y + bounds.height / 2,
      ),
      zoom,
    };
  }
}

function clamp(zoom: number): number {
  return Math.min(MOST, Math.max(LEAST, zoom));
}
