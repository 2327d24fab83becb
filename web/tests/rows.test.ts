/** A viewer that puts rows in their places ends with what the fold says: `spec/vectors`. */
import { readdirSync, readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import type { Edge, Execution, Node, Rows, TaskExecution } from "../src/api/types";
import { RowStore } from "../src/live/rows";

interface Delta {
  execution: Execution | null;
  task_executions: TaskExecution[];
  nodes: Node[];
  edges: Edge[];
  removed_nodes: string[];
  removed_edges: { source: string; target: string }[];
}

interface Vector {
  about: string;
  deltas: Delta[];
  state: { execution: Execution; task_executions: TaskExecution[]; nodes: Node[]; edges: Edge[] };
}

const folder = new URL("../../spec/vectors/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".json"));

test("the vectors are there", () => expect(files.length).toBeGreaterThanOrEqual(7));

describe.each(files)("%s", (file) => {
  const vector = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Vector;
  const id = vector.state.execution.execution_id;

  function rows(delta: Delta): Rows {
    const { nodes, edges, removed_nodes, removed_edges, task_executions, execution } = delta;
    const graph = { execution_id: id, nodes, edges, removed_nodes, removed_edges };
    return { executions: execution ? [execution] : [], task_executions, graphs: [graph] };
  }

  function state(store: RowStore) {
    const by = <T>(rows: Iterable<T>, key: (row: T) => string) =>
      [...rows].sort((a, b) => (key(a) < key(b) ? -1 : 1));
    const graph = store.graph(id);
    return {
      execution: store.execution(id),
      task_executions: by(store.taskExecutions(), (row) => row.task_execution_id),
      nodes: by(graph?.nodes.values() ?? [], (row) => row.id),
      edges: by(graph?.edges.values() ?? [], (row) => `${row.source} ${row.target}`),
    };
  }

  const expected = (() => {
    const store = new RowStore();
    const { execution, task_executions, nodes, edges } = vector.state;
    store.apply(
      { executions: [execution], task_executions, graphs: [{ execution_id: id, nodes, edges }] },
      0,
    );
    return state(store);
  })();

  test("in order", () => {
    const store = new RowStore();
    vector.deltas.forEach((delta, seq) => store.apply(rows(delta), seq));
    expect(state(store)).toEqual(expected);
  });

  test("told twice, the last first", () => {
    const store = new RowStore();
    const told = vector.deltas.map((delta, seq) => ({ delta, seq }));
    for (const { delta, seq } of [...told].reverse().concat(told)) store.apply(rows(delta), seq);
    expect(state(store)).toEqual(expected);
  });
});

test("a page of many runs holds the last told ones, and of them only their own rows", () => {
  const vector = JSON.parse(readFileSync(new URL(files[0] ?? "", folder), "utf8")) as Vector;
  const store = new RowStore(3);
  const { execution, task_executions, nodes, edges } = vector.state;
  const told = (id: string): Rows => ({
    executions: [{ ...execution, execution_id: id }],
    task_executions,
    graphs: [{ execution_id: id, nodes, edges }],
  });
  for (const [seq, id] of ["a", "b", "c", "a", "d"].entries()) store.apply(told(id), seq);
  expect(store.executions().map((row) => row.execution_id)).toEqual(["c", "a", "d"]);
  expect(store.taskExecutions()).toEqual([]);
  expect(store.graph("a")).toBeUndefined();
});
