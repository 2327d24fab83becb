import { expect, test } from "vitest";

import type { Layout } from "../src/api/types";
import { apply, meet } from "../src/pages/execution/graph/picture";

function layout(version: string, base: string | null, ids: string[], words: Partial<Layout> = {}): Layout {
  const all = <T>(value: T) => ids.map(() => value);
  return {
    execution_id: "x",
    version,
    base,
    as_of_seq: 1,
    bounds: { x: 0, y: 0, width: 10, height: 10 },
    nodes: {
      id: ids,
      x: ids.map((_, n) => n * 10),
      y: all(0),
      width: all(5),
      height: all(5),
      kind: all("static" as const),
      status: all("pending" as const),
      group: all(null),
    },
    edges: { source: [], target: [], kind: [], count: [], back: [], route: [], label: [] },
    groups: [],
    removed_nodes: [],
    removed_edges: [],
    ...words,
  } as Layout;
}

test("a change is put on its picture, anything else begins anew", () => {
  const first = apply(undefined, layout("1", null, ["a", "b"]));
  const second = apply(first, layout("2", "1", ["c"], { removed_nodes: ["a"] }));
  expect([...second.cards.keys()]).toEqual(["b", "c"]);
  expect([...first.cards.keys()]).toEqual(["a", "b"]);
  expect([...apply(second, layout("4", "3", ["d"])).cards.keys()]).toEqual(["d"]);
  expect([...apply(second, layout("5", null, ["e"])).cards.keys()]).toEqual(["e"]);
});

test("an edge's box holds its route", () => {
  const edges = {
    source: ["a"],
    target: ["b"],
    kind: ["jump" as const],
    count: [3],
    back: [true],
    route: [[0, 5, 10, -20, 30, 40, 50, 5]],
    label: [[1, 2] as never],
  };
  const picture = apply(undefined, layout("1", null, [], { edges }));
  expect([...picture.ways.values()][0]).toMatchObject({
    back: true,
    box: { x: 0, y: -20, width: 50, height: 60 },
  });
  const later = apply(picture, layout("2", "1", [], { removed_edges: [["a", "b"]] as never }));
  expect(later.ways.size).toBe(0);
});

test("boxes meet", () => {
  const box = { x: 0, y: 0, width: 10, height: 10 };
  expect(meet(box, { x: 10, y: 10, width: 1, height: 1 })).toBe(true);
  expect(meet(box, { x: 11, y: 0, width: 1, height: 1 })).toBe(false);
});
