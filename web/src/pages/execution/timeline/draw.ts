/** Draws the bars that are in view, and no others. */
import type { TaskExecution } from "../../../api/types";
import { microsOf } from "../../../text/time";
import { font, toneOf, type Palette } from "../palette";
import { spanOf } from "../times";
import { tracks, type Lane } from "./lanes";
import type { TimeScale } from "./scale";

export const ROW = 26;
const BAR = 16;
/** A shorter text would be only its ellipsis. */
const LEAST_TEXT = 34;

export interface Scene {
  lanes: readonly Lane[];
  scale: TimeScale;
  /** The window on the axis, 0 to 1. */
  from: number;
  to: number;
  /** Which lanes are in view. */
  first: number;
  last: number;
  width: number;
  now: number;
  /** Shown as it stood then. */
  at: number | undefined;
  selected: TaskExecution | undefined;
  selectedTask: string | undefined;
  hovered: TaskExecution | undefined;
  /** The pointer is on it elsewhere. */
  hinted: string | undefined;
  /** Of a picked value: only these task executions are lit; undefined: all. */
  lit: ReadonlySet<string> | undefined;
  /** Seconds that each task usually takes. */
  usual: ReadonlyMap<string, number>;
  /** Task executions on the critical path. */
  critical: ReadonlySet<string>;
  colours: Palette;
}

/** A bar where it was drawn, for the pointer. */
export interface Hit {
  x: number;
  width: number;
  y: number;
  height: number;
  row: TaskExecution;
}

export function draw(context: CanvasRenderingContext2D, scene: Scene): Hit[] {
  const { width, colours } = scene;
  const x = (time: number) => ((scene.scale.place(time) - scene.from) / (scene.to - scene.from)) * width;
  const hits: Hit[] = [];
  context.clearRect(0, 0, width, (scene.last - scene.first) * ROW);
  context.font = font(11);
  context.textBaseline = "middle";
  gaps(context, scene);
  for (let index = scene.first; index < scene.last; index += 1) {
    const lane = scene.lanes[index];
    if (!lane) continue;
    const top = (index - scene.first) * ROW;
    context.fillStyle = colours.line;
    context.fillRect(0, top + ROW - 1, width, 1);
    if (lane.group?.open) span(context, scene, lane.group.all, top, x);
    hits.push(...bars(context, scene, lane, top, x));
  }
  if (scene.at !== undefined) {
    context.fillStyle = colours.accent;
    context.fillRect(Math.round(x(scene.at)), 0, 1, (scene.last - scene.first) * ROW);
  }
  return hits;
}

function gaps(context: CanvasRenderingContext2D, scene: Scene): void {
  const height = (scene.last - scene.first) * ROW;
  for (const gap of scene.scale.gaps) {
    const left = ((gap.at - scene.from) / (scene.to - scene.from)) * scene.width;
    const wide = (gap.width / (scene.to - scene.from)) * scene.width;
    context.fillStyle = scene.colours.sunken;
    context.fillRect(left, 0, wide, height);
    context.fillStyle = scene.colours["line-strong"];
    for (let y = 2; y < height; y += 6) {
      context.fillRect(left, y, 1, 3);
      context.fillRect(left + wide, y, 1, 3);
    }
  }
}

/** An open group: one thin line from its first member's start to the last one's end. */
function span(
  context: CanvasRenderingContext2D,
  scene: Scene,
  rows: TaskExecution[],
  top: number,
  x: (time: number) => number,
): void {
  const spans = rows.flatMap((row) => spanOf(row, scene.now) ?? []);
  if (spans.length === 0) return;
  const left = x(spans.reduce((least, one) => Math.min(least, one.from), Infinity));
  const right = x(spans.reduce((most, one) => Math.max(most, one.to), -Infinity));
  const middle = top + ROW / 2;
  context.fillStyle = scene.colours.faint;
  context.fillRect(left, middle - 1, Math.max(2, right - left), 2);
  context.fillRect(left, middle - 4, 2, 8);
  context.fillRect(Math.max(left, right - 2), middle - 4, 2, 8);
}

function bars(
  context: CanvasRenderingContext2D,
  scene: Scene,
  lane: Lane,
  top: number,
  x: (time: number) => number,
): Hit[] {
  const shown = lane.rows.flatMap((row) => {
    const span = spanOf(row, scene.now);
    const queued = microsOf(row.queued_time);
    if (!span && queued === null) return [];
    const from = span?.from ?? queued ?? 0;
    return [{ row, queued, from, to: span?.to ?? scene.now, started: !!span }];
  });
  const { of, count } = tracks(shown);
  const high = Math.max(2, BAR / count);
  const hits: Hit[] = [];
  let lastPixel = -1;
  shown.forEach(({ row, queued, from, to, started }, index) => {
    const left = x(from);
    const right = x(to);
    if (right < 0 || left > scene.width) return;
    const wide = Math.max(1.5, right - left);
    // Thousands of bars in one pixel look like one of them.
    const pixel = Math.floor(left * 2) * 8 + (of[index] ?? 0);
    if (wide <= 1.5 && pixel === lastPixel && row.status === "completed") return;
    lastPixel = pixel;
    const y = top + (ROW - 1 - BAR) / 2 + (of[index] ?? 0) * high;
    const box = { x: left, y, width: wide, height: high - (count > 1 ? 1 : 0) };
    const usual = row.status === "running" ? scene.usual.get(row.task_id) : undefined;
    if (usual !== undefined) expected(context, scene, box, x(from + usual * 1e6));
    bar(context, scene, row, box, started, queued === null || !started ? undefined : x(queued));
    hits.push({ ...box, row });
  });
  return hits;
}

/** Where what runs usually ends: a dashed line to it while that is still to come, a mark on the bar when it is over. */
function expected(context: CanvasRenderingContext2D, scene: Scene, box: Box, at: number): void {
  const right = box.x + box.width;
  context.strokeStyle = scene.colours.faint;
  context.setLineDash([3, 3]);
  context.beginPath();
  if (at > right) {
    context.moveTo(right, box.y + box.height / 2);
    context.lineTo(at, box.y + box.height / 2);
  }
  context.moveTo(at, box.y - 2);
  context.lineTo(at, box.y + box.height + 2);
  context.stroke();
  context.setLineDash([]);
}

type Box = { x: number; y: number; width: number; height: number };

function bar(
  context: CanvasRenderingContext2D,
  scene: Scene,
  row: TaskExecution,
  box: Box,
  started: boolean,
  queuedAt: number | undefined,
): void {
  const { colours } = scene;
  const colour = toneOf(colours, row.status);
  const isDim = scene.lit
    ? !scene.lit.has(row.task_execution_id)
    : scene.selectedTask !== undefined &&
      row.task_id !== scene.selectedTask &&
      row.group !== scene.selectedTask;
  context.globalAlpha = isDim ? 0.38 : row.will_retry ? 0.7 : 1;
  if (queuedAt !== undefined && box.x - queuedAt > 1) {
    context.strokeStyle = colours.queued;
    context.strokeRect(queuedAt + 0.5, box.y + box.height / 2 - 2.5, box.x - queuedAt - 1, 5);
  }
  rounded(context, box, Math.min(3, box.width / 2, box.height / 2));
  if (started) {
    context.fillStyle = colour;
    context.fill();
  } else {
    context.strokeStyle = colours.queued;
    context.stroke();
  }
  if (row.will_retry) {
    // A notch says that it was tried again.
    context.fillStyle = colours.surface;
    context.beginPath();
    context.moveTo(box.x + box.width, box.y + box.height / 2 - 4);
    context.lineTo(box.x + box.width - 5, box.y + box.height / 2);
    context.lineTo(box.x + box.width, box.y + box.height / 2 + 4);
    context.fill();
  }
  if (row.status === "waiting") hatch(context, box, colours.surface);
  if (scene.critical.has(row.task_execution_id)) {
    context.fillStyle = colours.ink;
    context.fillRect(box.x, box.y + box.height + 1, box.width, 2);
  }
  if (row === scene.selected || row === scene.hovered || row.task_execution_id === scene.hinted) {
    context.globalAlpha = 1;
    context.strokeStyle = colours.ink;
    context.lineWidth = row === scene.selected ? 2 : 1;
    rounded(context, { x: box.x - 1, y: box.y - 1, width: box.width + 2, height: box.height + 2 }, 4);
    context.stroke();
    context.lineWidth = 1;
  }
  if (box.width > LEAST_TEXT && box.height > 12) label(context, row, box, colours);
  context.globalAlpha = 1;
}

function label(context: CanvasRenderingContext2D, row: TaskExecution, box: Box, colours: Palette): void {
  const words = [row.iteration > 0 ? `${row.iteration + 1}` : "", row.attempt > 1 ? `↻${row.attempt}` : ""];
  const text = words.filter(Boolean).join(" ");
  if (!text) return;
  context.fillStyle = colours.surface;
  context.fillText(text, Math.max(box.x, 0) + 5, box.y + box.height / 2 + 0.5);
}

function rounded(context: CanvasRenderingContext2D, { x, y, width, height }: Box, radius: number): void {
  context.beginPath();
  context.roundRect(x, y, width, height, radius);
}

function hatch(context: CanvasRenderingContext2D, box: Box, colour: string): void {
  context.save();
  context.clip();
  context.strokeStyle = colour;
  context.beginPath();
  for (let at = box.x - box.height; at < box.x + box.width; at += 6) {
    context.moveTo(at, box.y + box.height);
    context.lineTo(at + box.height, box.y);
  }
  context.stroke();
  context.restore();
}
