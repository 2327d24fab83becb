/** Where everything of the graph stands, as the server laid it out: answers that change a picture are put into it. */
import type { Layout, LayoutGroup } from "../../../api/types";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A task, or a group that is closed. */
export interface Card extends Box {
  id: string;
  kind: string;
  status: string;
  group: string | null;
}

export interface Way {
  source: string;
  target: string;
  kind: string;
  count: number;
  back: boolean;
  /** Where it begins, then two control points and an end for each curve. */
  route: readonly number[];
  label: readonly [number, number];
  box: Box;
}

export interface Picture {
  version: string;
  bounds: Box;
  cards: ReadonlyMap<string, Card>;
  groups: ReadonlyMap<string, LayoutGroup>;
  ways: ReadonlyMap<string, Way>;
}

export const wayKey = (source: string, target: string) => `${source}\u0000${target}`;

/** Puts an answer on the picture it changes; one that changes no picture of ours stands for itself. */
export function apply(old: Picture | undefined, layout: Layout): Picture {
  const isChange = old !== undefined && layout.base !== null && layout.base === old.version;
  const changes = [layout.nodes.id, layout.edges.source, layout.removed_nodes, layout.removed_edges];
  const groupsNow = new Map(layout.groups.map((group) => [group.id, group]));
  if (isChange && changes.every((list) => list.length === 0))
    return { ...old, version: layout.version, bounds: layout.bounds, groups: groupsNow };
  const cards = new Map(isChange ? old.cards : []);
  const ways = new Map(isChange ? old.ways : []);
  if (isChange) {
    for (const id of layout.removed_nodes) cards.delete(id);
    for (const [source, target] of layout.removed_edges as [string, string][])
      ways.delete(wayKey(source, target));
  }
  const { nodes, edges } = layout;
  nodes.id.forEach((id, n) => {
    cards.set(id, {
      id,
      x: nodes.x[n] ?? 0,
      y: nodes.y[n] ?? 0,
      width: nodes.width[n] ?? 0,
      height: nodes.height[n] ?? 0,
      kind: nodes.kind[n] ?? "static",
      status: nodes.status[n] ?? "pending",
      group: nodes.group[n] ?? null,
    });
  });
  edges.source.forEach((source, n) => {
    const [target, route] = [edges.target[n] ?? "", edges.route[n] ?? []];
    ways.set(wayKey(source, target), {
      source,
      target,
      kind: edges.kind[n] ?? "static",
      count: edges.count[n] ?? 0,
      back: edges.back[n] ?? false,
      route,
      label: (edges.label[n] ?? [0, 0]) as [number, number],
      box: around(route),
    });
  });
  return { version: layout.version, bounds: layout.bounds, cards, groups: groupsNow, ways };
}

/** A curve stays within its control points. */
function around(route: readonly number[]): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let at = 0; at + 1 < route.length; at += 2) {
    const [x = 0, y = 0] = [route[at], route[at + 1]];
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** Whether two boxes have something in common. */
export const meet = (a: Box, b: Box): boolean =>
  a.x <= b.x + b.width && b.x <= a.x + a.width && a.y <= b.y + b.height && b.y <= a.y + a.height;
