/** Draws ways, and from afar also frames and cards; only what is in view. */
import type { LayoutGroup } from "../../../api/types";
import { font, toneOf, type Palette } from "../palette";
import type { Look } from "./camera.svelte";
import { meet, wayKey, type Box, type Card, type Picture, type Way } from "./picture";

export interface Scene {
  picture: Picture;
  look: Look;
  shown: Box;
  width: number;
  height: number;
  colours: Palette;
  /** Whether cards are drawn too: there are too many of them for elements, or they are too small to read. */
  far: boolean;
  statusOf: (card: Card) => string;
  /** Times taken, so far. */
  countOf: (way: Way) => number;
  selected: string | undefined;
  /** Ways between task executions on the critical path, by `wayKey`. */
  critical: ReadonlySet<string>;
  /** Only these are lit; undefined: all. */
  isLit: ((id: string) => boolean) | undefined;
  /** What the pointer is on elsewhere. */
  hinted: string | undefined;
}

/** More ways than this are drawn in one stroke each kind, without arrows. */
const MANY = 4_000;

export function draw(context: CanvasRenderingContext2D, scene: Scene): void {
  const { look, width, height } = scene;
  context.clearRect(0, 0, width, height);
  context.save();
  context.scale(look.zoom, look.zoom);
  context.translate(-look.x, -look.y);
  const groups = [...scene.picture.groups.values()];
  for (const group of groups) frame(context, scene, group);
  const ways = [];
  for (const way of scene.picture.ways.values()) if (meet(way.box, scene.shown)) ways.push(way);
  if (ways.length > MANY) roughly(context, scene, ways);
  else for (const way of ways) one(context, scene, way);
  if (scene.far) cards(context, scene);
  context.restore();
}

function frame(context: CanvasRenderingContext2D, scene: Scene, group: LayoutGroup): void {
  const bounds = group.bounds;
  if (!bounds || group.collapsed || !meet(bounds, scene.shown)) return;
  context.beginPath();
  context.roundRect(bounds.x, bounds.y, bounds.width, bounds.height, 12);
  context.fillStyle = scene.colours.sunken;
  context.fill();
  context.strokeStyle = scene.colours["line-strong"];
  context.lineWidth = 1 / Math.min(1, scene.look.zoom);
  context.stroke();
}

function trace(context: CanvasRenderingContext2D, route: readonly number[]): void {
  context.moveTo(route[0] ?? 0, route[1] ?? 0);
  for (let at = 2; at + 5 < route.length; at += 6) {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = route.slice(at, at + 6);
    context.bezierCurveTo(a, b, c, d, e, f);
  }
}

function roughly(context: CanvasRenderingContext2D, scene: Scene, ways: Way[]): void {
  context.lineWidth = Math.max(1, 0.7 / scene.look.zoom);
  context.strokeStyle = scene.colours["line-strong"];
  context.beginPath();
  for (const { route } of ways) {
    // From so far a straight line looks the same and costs a fifth.
    context.moveTo(route[0] ?? 0, route[1] ?? 0);
    context.lineTo(route.at(-2) ?? 0, route.at(-1) ?? 0);
  }
  context.stroke();
}

function one(context: CanvasRenderingContext2D, scene: Scene, way: Way): void {
  const { colours, selected, look } = scene;
  const count = scene.countOf(way);
  const isTouching = selected !== undefined && (way.source === selected || way.target === selected);
  const isCritical = scene.critical.has(wayKey(way.source, way.target));
  const isLit = !scene.isLit || (scene.isLit(way.source) && scene.isLit(way.target));
  const colour = isCritical
    ? colours.ink
    : isTouching
      ? colours.accent
      : way.kind === "jump"
        ? colours.waiting
        : count > 0
          ? colours.faint
          : colours["line-strong"];
  context.globalAlpha = isLit ? 1 : 0.25;
  const thin = Math.max(1, 0.8 / look.zoom);
  // Thick = taken often.
  context.lineWidth = thin * (1.2 + Math.min(3, Math.log2(Math.max(1, count)) * 0.55) + (isCritical ? 1 : 0));
  context.strokeStyle = colour;
  context.setLineDash(count === 0 ? [5, 4] : way.kind === "dynamic" ? [1.5, 3] : []);
  context.lineCap = way.kind === "dynamic" && count > 0 ? "round" : "butt";
  context.beginPath();
  trace(context, way.route);
  context.stroke();
  context.setLineDash([]);
  arrow(context, way.route, colour);
  if (count > (way.back ? 0 : 1) && look.zoom > 0.35) counter(context, scene, way, count, colour);
  context.globalAlpha = 1;
}

function arrow(context: CanvasRenderingContext2D, route: readonly number[], colour: string): void {
  const [fromX = 0, fromY = 0, x = 0, y = 0] = route.slice(-4);
  const angle = x === fromX && y === fromY ? 0 : Math.atan2(y - fromY, x - fromX);
  context.save();
  context.translate(x, y);
  context.rotate(angle);
  context.beginPath();
  context.moveTo(1, 0);
  context.lineTo(-7, -4);
  context.lineTo(-5, 0);
  context.lineTo(-7, 4);
  context.closePath();
  context.fillStyle = colour;
  context.fill();
  context.restore();
}

function counter(
  context: CanvasRenderingContext2D,
  scene: Scene,
  way: Way,
  count: number,
  colour: string,
): void {
  const text = `×${count}`;
  const [x, y] = way.label;
  context.font = font(11, 600);
  const wide = context.measureText(text).width + 10;
  context.beginPath();
  context.roundRect(x - wide / 2, y - 9, wide, 18, 9);
  context.fillStyle = scene.colours.surface;
  context.fill();
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.stroke();
  context.fillStyle = scene.colours.soft;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, x, y + 0.5);
  context.textAlign = "left";
}

function cards(context: CanvasRenderingContext2D, scene: Scene): void {
  const { colours, look } = scene;
  const small = look.zoom < 0.12;
  // One fill a colour: thousands of them cost a few milliseconds.
  const byColour = new Map<string, Card[]>();
  for (const card of scene.picture.cards.values()) {
    if (!meet(card, scene.shown)) continue;
    const isDim = scene.isLit !== undefined && !scene.isLit(card.id);
    const colour = isDim ? colours.line : toneOf(colours, scene.statusOf(card));
    const same = byColour.get(colour);
    if (same) same.push(card);
    else byColour.set(colour, [card]);
  }
  for (const [colour, same] of byColour) {
    context.beginPath();
    for (const { x, y, width, height } of same) context.rect(x, y, width, height);
    context.fillStyle = small ? colour : colours.surface;
    context.fill();
    if (small) continue;
    context.strokeStyle = colours["line-strong"];
    context.lineWidth = 1 / look.zoom;
    context.stroke();
    context.beginPath();
    for (const { x, y, height } of same) context.rect(x, y, 8, height);
    context.fillStyle = colour;
    context.fill();
    if (look.zoom < 0.25) continue;
    context.fillStyle = colours.ink;
    context.font = font(18);
    context.textBaseline = "middle";
    for (const { id, x, y, width, height } of same)
      context.fillText(cutText(id), x + 18, y + height / 2, width - 24);
  }
  for (const id of [scene.selected, scene.hinted]) {
    const chosen = id === undefined ? undefined : scene.picture.cards.get(id);
    if (!chosen) continue;
    context.strokeStyle = colours.accent;
    context.lineWidth = 3 / look.zoom;
    context.strokeRect(chosen.x, chosen.y, chosen.width, chosen.height);
  }
}

const cutText = (text: string) => (text.length > 24 ? `${text.slice(0, 23)}…` : text);
