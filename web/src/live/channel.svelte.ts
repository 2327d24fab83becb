/** One live channel: a socket that heals by itself, the rows it brings, and a counter that says when to look again. */
import { address, getNamed, getTicket, wantsToken } from "../api/client";
import type { Execution, Rows, TaskExecution } from "../api/types";
import { Position, type Message } from "./protocol";
import { RowStore } from "./rows";

/** Milliseconds without a word after which a socket counts as broken; a ping comes each second. */
const SILENCE = 8_000;
const FIRST_WAIT = 250;
const LONGEST_WAIT = 10_000;
/** Milliseconds between two looks at rows that keep changing. */
const LEAST_REST = 100;
/** After a look the page rests so many times as long as that took: drawing never takes most of a processor. */
const REST = 4;
/** Rows of the first page of a snapshot: enough for what stands above the tabs, and quick. */
const FIRST_PAGE = 200;
const PAGE = 5_000;
/** Runs that a page of many runs holds; the lists ask for older ones as somebody scrolls. */
const MOST_EXECUTIONS = 5_000;
/** Milliseconds that the rest of a snapshot waits for what is drawn first. */
const LONGEST_HOLD = 5_000;

export type ChannelState = "connecting" | "live" | "broken";

/** What pages watch. Close it when they go. */
export class Channel {
  readonly rows: RowStore;
  state: ChannelState = $state("connecting");
  /** Rises when rows have changed; at once after a silence, and more slowly the more there is to draw. */
  version = $state(0);
  /** Rises when nodes or edges came or went since the snapshot. */
  shape = $state(0);
  /** Whether there is something to show: of a large run its own row. */
  ready = $state(false);
  /** Whether all rows are there. */
  complete = $state(false);
  /** How far the page is behind the last event that the server wrote. */
  behind = $state(0);
  /** Why no snapshot could be had. */
  failure: Error | undefined = $state();

  private readonly position = new Position();
  private socket: WebSocket | undefined;
  private wait = FIRST_WAIT;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private scheduled = false;
  /** Until when the page rests. */
  private restUntil = 0;
  private first: Promise<unknown> = Promise.resolve();
  private closed = false;
  /** Changes while a snapshot is fetched are put after it. */
  private begun: Promise<void> = Promise.resolve();
  private round = 0;

  constructor(
    private readonly filter: { execution_id?: string; workflow_name?: string },
    private readonly onEvent: (event: Record<string, unknown>) => void = () => {},
  ) {
    this.rows = new RowStore(filter.execution_id === undefined ? MOST_EXECUTIONS : undefined);
    this.connect();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  /** Pages of a large snapshot after the first are asked for when this is done: what people see first goes first. */
  holdFor(first: Promise<unknown>): void {
    const longest = new Promise((resolve) => setTimeout(resolve, LONGEST_HOLD));
    this.first = Promise.race([first.catch(() => {}), longest]);
  }

  private connect(): void {
    if (!wantsToken()) return this.open(["graflow"]);
    // Behind a token the stream wants a ticket; who may not have one asks again later.
    getTicket().then(
      (ticket) => {
        if (!this.closed) this.open(ticket ? ["graflow", `ticket.${ticket}`] : ["graflow"]);
      },
      () => this.reconnect(),
    );
  }

  private open(protocols: string[]): void {
    const url = address("/ws/lineage", {}, { ...this.filter, after: this.position.seq }).replace(
      /^http/,
      "ws",
    );
    const socket = new WebSocket(url, protocols);
    this.socket = socket;
    this.listen();
    socket.onmessage = ({ data }: MessageEvent<string>) => {
      if (socket !== this.socket) return;
      this.listen();
      this.hear(JSON.parse(data) as Message);
    };
    socket.onclose = () => {
      if (socket === this.socket) this.reconnect();
    };
  }

  private listen(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.reconnect(), SILENCE);
  }

  private reconnect(): void {
    const socket = this.socket;
    this.socket = undefined;
    socket?.close();
    clearTimeout(this.timer);
    if (this.closed) return;
    if (this.state === "live") this.state = "broken";
    this.timer = setTimeout(() => this.connect(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
  }

  private hear(message: Message): void {
    const step = this.position.hear(message);
    this.state = "live";
    this.wait = FIRST_WAIT;
    if (message.type === "ping") this.behind = Math.max(0, (message.data.last_seq ?? 0) - message.seq);
    if (step.do === "reconnect") this.reconnect();
    if (step.do === "begin") {
      const round = ++this.round;
      this.begun = this.begin(round, step.rows, step.fetch, step.seq);
    }
    if (step.do === "put") {
      const round = this.round;
      const put = () => {
        if (round !== this.round) return;
        if (this.rows.apply(step.rows, step.seq)) this.shape += 1;
        this.changed();
        if (step.event) this.onEvent(step.event);
      };
      if (this.fetching) void this.begun.then(put);
      else put();
    }
  }

  private fetching = false;

  private async begin(round: number, rows: Rows | undefined, fetch: string[], seq: number): Promise<void> {
    if (this.complete) this.shape += 1;
    if (rows) {
      this.rows.clear();
      this.rows.apply(rows, seq);
    } else {
      this.fetching = true;
      try {
        const isStale = () => round !== this.round || this.closed;
        // Page by page: the first one already says what the run is.
        let cleared = false;
        const take = (answer: Snapshot) => {
          if (!cleared) this.rows.clear();
          cleared = true;
          this.rows.apply(asRows(answer), answer.as_of_seq);
          if (answer.execution || answer.executions) this.ready = true;
          this.changed();
        };
        for (const path of fetch) {
          for await (const page of pages(path, () => this.first)) {
            if (isStale()) return;
            take(page);
          }
        }
      } catch (error) {
        // The socket begins anew, and with it the snapshot.
        this.failure = error as Error;
        this.position.seq = undefined;
        this.reconnect();
        return;
      } finally {
        if (round === this.round) this.fetching = false;
      }
    }
    this.failure = undefined;
    this.ready = true;
    this.complete = true;
    this.changed();
  }

  private changed(): void {
    if (this.scheduled || this.closed) return;
    this.scheduled = true;
    const run = () => {
      this.scheduled = false;
      if (this.closed) return;
      const start = performance.now();
      this.version += 1;
      // Effects have run by then, and a frame was painted.
      const done = () => {
        const end = performance.now();
        this.restUntil = end + Math.max(LEAST_REST, REST * (end - start));
      };
      this.restUntil = Infinity;
      if (document.hidden) done();
      else requestAnimationFrame(() => setTimeout(done));
    };
    // Also in a tab that is not shown, where no frame ever comes.
    if (document.hidden) setTimeout(run, 1_000);
    else {
      const rest = Math.min(1_000, this.restUntil - performance.now());
      if (rest > 0) setTimeout(run, rest);
      else requestAnimationFrame(run);
    }
  }
}

interface Snapshot {
  as_of_seq: number;
  next_cursor?: string | null;
  execution?: Execution;
  executions?: Execution[];
  task_executions?: TaskExecution[];
  execution_id?: string | null;
  nodes?: Rows["graphs"][number]["nodes"];
  edges?: Rows["graphs"][number]["edges"];
}

function asRows(answer: Snapshot): Rows {
  const graphs =
    answer.nodes && answer.edges && answer.execution_id
      ? [{ execution_id: answer.execution_id, nodes: answer.nodes, edges: answer.edges }]
      : [];
  const executions = answer.executions ?? (answer.execution ? [answer.execution] : []);
  return { executions, task_executions: answer.task_executions ?? [], graphs };
}

/** All pages of an execution; of the list of executions only the newest, the rest is asked for by who shows it. */
async function* pages(path: string, first: () => Promise<unknown>): AsyncGenerator<Snapshot> {
  const isDetail = /\/executions\/[^/?]+$/.test(path);
  if (/\/executions\/[^/?]+\/graph$/.test(path)) await first();
  let cursor: string | null | undefined;
  do {
    const words = new URLSearchParams(isDetail ? { limit: String(cursor ? PAGE : FIRST_PAGE) } : {});
    if (cursor) words.set("cursor", cursor);
    const page = await getNamed<Snapshot>(words.size > 0 ? `${path}?${words}` : path);
    yield page;
    cursor = isDetail ? page.next_cursor : undefined;
    if (cursor) await first();
  } while (cursor);
}
