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
  private readonly nodeSeqs = new Map<string, number>();
  private readonly edgeSeqs = new Map<string, number>();

  /** Whether nodes or edges came or went. */
  apply(rows: GraphRows, seq: number): boolean {
    const before = this.nodes.size + this.edges.size;
    for (const node of rows.nodes) if (isNewer(this.nodeSeqs, node.id, seq)) this.nodes.set(node.id, node);
    for (const edge of rows.edges) {
      const key = edgeKey(edge);
      if (isNewer(this.edgeSeqs, key, seq)) this.edges.set(key, edge);
    }
    let changed = before !== this.nodes.size + this.edges.size;
    for (const id of rows.removed_nodes ?? [])
      if (isNewer(this.nodeSeqs, id, seq)) changed = this.nodes.delete(id) || changed;
    for (const edge of rows.removed_edges ?? []) {
      const key = edgeKey(edge);
      if (isNewer(this.edgeSeqs, key, seq)) changed = this.edges.delete(key) || changed;
    }
    return changed;
  }
}

function isNewer(seqs: Map<string, number>, key: string, seq: number): boolean {
  if ((seqs.get(key) ?? -1) > seq) return false;
  seqs.set(key, seq);
  return true;
}

/** An edge is keyed by where it leaves and arrives. */
export const edgeKey = (edge: { source: string; target: string }): string =>
  `${edge.source}\u0000${edge.target}`;

/** All rows; or, for a page that shows many runs, only those of so many runs themselves, the last told ones. */
export class RowStore {
  private readonly executionsHeld = new Map<string, Held<Execution>>();
  private readonly taskExecutionsHeld = new Map<string, Held<TaskExecution>>();
  private readonly graphs = new Map<string, GraphHeld>();

  constructor(private readonly mostExecutions?: number) {}

  /** Puts rows in their places: of two with one id, that of the higher `seq` wins. Says whether a graph has another shape now. */
  apply(rows: Rows, seq: number): boolean {
    for (const row of rows.executions) put(this.executionsHeld, row.execution_id, row, seq);
    if (this.mostExecutions !== undefined) {
      this.forget(rows.executions, this.mostExecutions);
      return false;
    }
    for (const row of rows.task_executions) put(this.taskExecutionsHeld, row.task_execution_id, row, seq);
    let changed = false;
    for (const graph of rows.graphs) {
      let held = this.graphs.get(graph.execution_id);
      if (!held) this.graphs.set(graph.execution_id, (held = new GraphHeld()));
      changed = held.apply(graph, seq) || changed;
    }
    return changed;
  }

  /** Lets go of runs that nothing was told of for longest: a page that is open for a day stays small. */
  private forget(told: readonly Execution[], most: number): void {
    for (const { execution_id: id } of told) {
      const held = this.executionsHeld.get(id);
      if (!held) continue;
      this.executionsHeld.delete(id);
      this.executionsHeld.set(id, held);
    }
    for (const id of this.executionsHeld.keys()) {
      if (this.executionsHeld.size <= most) return;
      this.executionsHeld.delete(id);
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

  /** None of a graph that was not told of. */
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
