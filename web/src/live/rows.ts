/**
 * What a page knows: rows by id, put in the place of older ones. Only the server folds; nothing is computed here.
 *
 * Plain maps and one counter: with tens of thousands of rows a deep reactive copy would cost more than drawing them.
 */
import type { Edge, Execution, GraphRows, Node, Rows, TaskExecution } from "../api/types";

interface Held<T> {
  row: T;
  seq: number;
}

/** The task graph of one execution. */
export class GraphHeld {
  readonly nodes = new Map<string, Node>();
  readonly edges = new Map<string, Edge>();
  /** The number that each node or edge, also one that was taken away, was last told at. */
  private readonly seqs = new Map<string, number>();

  apply(rows: GraphRows, seq: number): void {
    for (const node of rows.nodes) if (this.isNewer(`n${node.id}`, seq)) this.nodes.set(node.id, node);
    for (const edge of rows.edges) {
      const key = edgeKey(edge);
      if (this.isNewer(`e${key}`, seq)) this.edges.set(key, edge);
    }
    for (const id of rows.removed_nodes ?? []) if (this.isNewer(`n${id}`, seq)) this.nodes.delete(id);
    for (const edge of rows.removed_edges ?? []) {
      const key = edgeKey(edge);
      if (this.isNewer(`e${key}`, seq)) this.edges.delete(key);
    }
  }

  private isNewer(key: string, seq: number): boolean {
    if ((this.seqs.get(key) ?? -1) > seq) return false;
    this.seqs.set(key, seq);
    return true;
  }
}

/** An edge is keyed by where it leaves and arrives. */
export const edgeKey = (edge: { source: string; target: string }): string =>
  `${edge.source}\u0000${edge.target}`;

/** All rows. */
export class RowStore {
  private readonly executionsHeld = new Map<string, Held<Execution>>();
  private readonly taskExecutionsHeld = new Map<string, Held<TaskExecution>>();
  private readonly graphs = new Map<string, GraphHeld>();

  /** Puts rows in their places. Of two rows with one id, that of the higher `seq` wins. */
  apply(rows: Rows, seq: number): void {
    for (const row of rows.executions) put(this.executionsHeld, row.execution_id, row, seq);
    for (const row of rows.task_executions) put(this.taskExecutionsHeld, row.task_execution_id, row, seq);
    for (const graph of rows.graphs) {
      let held = this.graphs.get(graph.execution_id);
      if (!held) this.graphs.set(graph.execution_id, (held = new GraphHeld()));
      held.apply(graph, seq);
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.executionsHeld.clear();
    this.taskExecutionsHeld.clear();
    this.graphs.clear();
  }

  execution(id: string): Execution | undefined {
    return this.executionsHeld.get(id)?.row;
  }

  executions(): Execution[] {
    return [...this.executionsHeld.values()].map((held) => held.row);
  }

  taskExecution(id: string): TaskExecution | undefined {
    return this.taskExecutionsHeld.get(id)?.row;
  }

  /** In the order in which they were first told. */
  taskExecutions(): TaskExecution[] {
    return [...this.taskExecutionsHeld.values()].map((held) => held.row);
  }

  graph(executionId: string): GraphHeld | undefined {
    return this.graphs.get(executionId);
  }
}

function put<T>(held: Map<string, Held<T>>, id: string, row: T, seq: number): void {
  const old = held.get(id);
  if (!old) held.set(id, { row, seq });
  else if (old.seq <= seq) {
    old.row = row;
    old.seq = seq;
  }
}
