/** What the page of one execution knows and what is selected in it. One selection drives all views, and stands in the address. */
import type { Analysis, Edge, Execution, Node, TaskExecution, TaskStatus } from "../../api/types";
import type { Channel } from "../../live/channel.svelte";
import { router } from "../../router/router.svelte";
import { micros, rfc3339 } from "../../text/time";
import { get } from "../../api/client";
import { loaded } from "../../api/loaded.svelte";
import { Values } from "./data/values.svelte";
import { Pictures } from "./graph/pictures.svelte";
import { beginOf, cut } from "./times";

export const TABS = ["graph", "timeline", "table", "data", "events", "logs", "llm", "compare"] as const;
export type Tab = (typeof TABS)[number];

const narrow = matchMedia("(max-width: 760px)");
/** A run of more task executions is not cut here, but asked for as it stood. */
const MOST_CUT = 5_000;
/** Milliseconds without a movement of the slider before the server is asked. */
const PAUSE = 150;
const NONE: ReadonlySet<string> = new Set();

export class ExecutionView {
  constructor(
    readonly id: string,
    readonly channel: Channel,
  ) {
    this.pictures = new Pictures(id);
    this.values = new Values(this);
    if (this.tab !== "graph") return;
    // The picture before the rows: it is what people look at, and says where each task stands.
    const [collapsed, expanded] = [router.word("collapsed") ?? "", router.word("expanded") ?? ""];
    this.pictures.want({ collapsed, expanded, stage: "" });
    channel.holdFor(this.pictures.first);
  }

  readonly pictures: Pictures;
  readonly values: Values;
  /** What the pointer is on elsewhere, such as the writer of a value. */
  hinted: { task: string; taskExecution: string | undefined } | undefined = $state.raw();

  readonly execution: Execution | undefined = $derived.by(() => {
    void this.channel.version;
    return this.channel.rows.execution(this.id);
  });

  /** All task executions, in the order of their start. */
  readonly tasks: TaskExecution[] = $derived.by(() => {
    void this.channel.version;
    return sortByStart(this.channel.rows.taskExecutions());
  });

  readonly nodes: Node[] = $derived.by(() => {
    void this.channel.version;
    return [...(this.channel.rows.graph(this.id)?.nodes.values() ?? [])];
  });

  readonly edges: Edge[] = $derived.by(() => {
    void this.channel.version;
    return [...(this.channel.rows.graph(this.id)?.edges.values() ?? [])];
  });

  readonly byTask: ReadonlyMap<string, TaskExecution[]> = $derived.by(() => {
    const map = new Map<string, TaskExecution[]>();
    for (const row of this.tasks) {
      const rows = map.get(row.task_id);
      if (rows) rows.push(row);
      else map.set(row.task_id, [row]);
    }
    return map;
  });

  /** Failed for good, first ones first. */
  readonly failures: TaskExecution[] = $derived(
    this.tasks.filter((row) => (row.status === "failed" && !row.will_retry) || row.status === "lost"),
  );

  readonly tab: Tab = $derived.by(() => {
    const word = router.word("tab") as Tab | undefined;
    // On a small screen a list reads better than a graph.
    return word && TABS.includes(word) ? word : narrow.matches ? "table" : "graph";
  });

  /** The selected node. */
  readonly task: string | undefined = $derived(router.word("task"));

  /** The selected task execution: the one that the address names, else the task's latest. */
  readonly selected: TaskExecution | undefined = $derived.by(() => {
    if (this.task === undefined) return undefined;
    const rows = this.byTask.get(this.task);
    const named = router.word("te");
    return rows?.find((row) => row.task_execution_id === named) ?? rows?.at(-1);
  });

  readonly node: Node | undefined = $derived(this.task === undefined ? undefined : this.nodeOf(this.task));

  /** The run is shown as it stood then; undefined: as it stands. Microseconds since 1970. */
  readonly at: number | undefined = $derived.by(() => {
    const word = router.word("at");
    return word && Number.isFinite(Date.parse(word)) ? micros(word) : undefined;
  });

  /** Where each task execution stood at the shown time; those that had not begun are left out. */
  readonly statusAt: ReadonlyMap<string, TaskStatus> | undefined = $derived.by(() => {
    const { at } = this;
    if (at === undefined || this.tasks.length > MOST_CUT) return undefined;
    const map = new Map<string, TaskStatus>();
    for (const row of this.tasks) {
      const status = cut(row, at);
      if (status) map.set(row.task_execution_id, status);
    }
    return map;
  });

  private readonly then = loaded((signal) => {
    const { at } = this;
    if (at === undefined || this.tasks.length <= MOST_CUT) return undefined;
    return after(PAUSE, signal).then(() =>
      get("/api/executions/{id}/graph", { names: { id: this.id }, query: { at: rfc3339(at) }, signal }),
    );
  });
  /** Where the tasks of a large run stood at the shown time, as the server says; none of a smaller one. */
  readonly tasksAt: ReadonlyMap<string, TaskStatus> | undefined = $derived.by(() => {
    if (this.at === undefined || this.tasks.length <= MOST_CUT || !this.then.data) return undefined;
    return new Map(this.then.data.nodes.map((node) => [node.id, node.data.status]));
  });

  /** What the server says of how long it took; none until it was asked. */
  analysis: Analysis | undefined = $state.raw();
  /** Task executions on the critical path, as the server says. */
  readonly critical: ReadonlySet<string> = $derived(
    new Set(this.analysis?.critical_path.steps.map((step) => step.task_execution_id)),
  );
  /** Their tasks, first to last. */
  readonly criticalTasks: readonly string[] = $derived(
    this.analysis?.critical_path.steps.map((step) => step.task_id) ?? [],
  );
  /** Seconds that a completed task execution of each task usually took in earlier runs. */
  readonly usual: ReadonlyMap<string, number> = $derived(
    new Map(
      this.analysis?.tasks.flatMap((task) =>
        task.expected.duration === null ? [] : [[task.task_id, task.expected.duration]],
      ),
    ),
  );
  /** Seconds by which each task execution could have been longer. */
  readonly slack: ReadonlyMap<string, number> = $derived.by(() => {
    const slack = this.analysis?.slack;
    return new Map(slack?.task_execution_id.map((id, n) => [id, slack.seconds[n] ?? 0]));
  });
  readonly withCritical: boolean = $derived(router.word("critical") === "1");
  readonly criticalShown: ReadonlySet<string> = $derived(this.withCritical ? this.critical : NONE);

  nodeOf(id: string): Node | undefined {
    void this.channel.version;
    return this.channel.rows.graph(this.id)?.nodes.get(id);
  }

  toggleCritical(): void {
    router.set({ critical: this.withCritical ? null : "1" }, true);
  }

  setTime(at: number | undefined): void {
    router.set({ at: at === undefined ? null : rfc3339(at) }, true);
  }

  select(task: string | undefined, taskExecution?: string): void {
    router.set({ task, te: taskExecution }, true);
  }

  go(tab: Tab, words: Record<string, string | undefined> = {}): void {
    router.set({ tab: tab === "graph" && !narrow.matches ? null : tab, ...words });
  }

  /** The failure after the selected one. */
  nextFailure(): void {
    const at = this.failures.findIndex((row) => row.task_execution_id === this.selected?.task_execution_id);
    const next = this.failures[(at + 1) % Math.max(1, this.failures.length)];
    if (next) this.select(next.task_id, next.task_execution_id);
  }

  /** The pass or attempt so many steps from the selected one. */
  step(by: number): void {
    const rows = this.task === undefined ? undefined : this.byTask.get(this.task);
    if (!rows || !this.selected) return;
    const next = rows[rows.indexOf(this.selected) + by];
    if (next) this.select(next.task_id, next.task_execution_id);
  }
}

function after(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((done, stop) => {
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      stop(signal.reason as Error);
    });
  });
}

/** Times are read once a row, not once a comparison. */
function sortByStart(rows: TaskExecution[]): TaskExecution[] {
  const begins = new Map(rows.map((row) => [row, beginOf(row)]));
  return rows.sort((a, b) => {
    const [first, second] = [begins.get(a) ?? 0, begins.get(b) ?? 0];
    if (first !== second) return first - second;
    const id = a.task_execution_id < b.task_execution_id ? -1 : 1;
    return a.iteration - b.iteration || a.attempt - b.attempt || id;
  });
}
