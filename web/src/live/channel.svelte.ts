/** One live channel: a socket that heals by itself, the rows it brings, and a counter that says when to look again. */
import { address, getNamed } from "../api/client";
import type { Execution, Rows, TaskExecution } from "../api/types";
import { Position, type Message } from "./protocol";
import { RowStore } from "./rows";

/** Milliseconds without a word after which a socket counts as broken; a ping comes each second. */
const SILENCE = 8_000;
const FIRST_WAIT = 250;
const LONGEST_WAIT = 10_000;

export type ChannelState = "connecting" | "live" | "broken";

/** What pages watch. Close it when they go. */
export class Channel {
  readonly rows = new RowStore();
  state: ChannelState = $state("connecting");
  /** Rises when rows have changed, at most once a frame. */
  version = $state(0);
  /** Whether a first snapshot is there. */
  ready = $state(false);
  /** How far the page is behind the last event that the server wrote. */
  behind = $state(0);
  /** Why no snapshot could be had. */
  failure: Error | undefined = $state();

  private readonly position = new Position();
  private socket: WebSocket | undefined;
  private wait = FIRST_WAIT;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private scheduled = false;
  private closed = false;
  /** Changes while a snapshot is fetched are put after it. */
  private begun: Promise<void> = Promise.resolve();
  private round = 0;

  constructor(
    private readonly filter: { execution_id?: string; workflow_name?: string },
    private readonly onEvent: (event: Record<string, unknown>) => void = () => {},
  ) {
    this.connect();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  private connect(): void {
    const url = address("/ws/lineage", {}, { ...this.filter, after: this.position.seq }).replace(
      /^http/,
      "ws",
    );
    const socket = new WebSocket(url, ["graflow"]);
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
        this.rows.apply(step.rows, step.seq);
        this.changed();
        if (step.event) this.onEvent(step.event);
      };
      if (this.fetching) void this.begun.then(put);
      else put();
    }
  }

  private fetching = false;

  private async begin(round: number, rows: Rows | undefined, fetch: string[], seq: number): Promise<void> {
    if (rows) {
      this.rows.clear();
      this.rows.apply(rows, seq);
    } else {
      this.fetching = true;
      try {
        // Page by page: the first one already says what the run is.
        let cleared = false;
        const take = (answer: Snapshot) => {
          if (round !== this.round || this.closed) return;
          if (!cleared) this.rows.clear();
          cleared = true;
          this.rows.apply(asRows(answer), answer.as_of_seq);
          if (answer.execution || answer.executions) this.ready = true;
          this.changed();
        };
        await Promise.all(fetch.map((path) => eachPage(path, take)));
        if (round !== this.round || this.closed) return;
      } catch (error) {
        // The socket begins anew, and with it the snapshot.
        this.failure = error as Error;
        this.position.seq = undefined;
        this.reconnect();
        return;
      } finally {
        this.fetching = false;
      }
    }
    this.failure = undefined;
    this.ready = true;
    this.changed();
  }

  private changed(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    // Also in a tab that is not shown, where no frame ever comes.
    const run = () => {
      this.scheduled = false;
      this.version += 1;
    };
    if (document.hidden) setTimeout(run, 1_000);
    else requestAnimationFrame(run);
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
async function eachPage(path: string, take: (page: Snapshot) => void): Promise<void> {
  const isDetail = /\/executions\/[^/?]+$/.test(path);
  let cursor: string | null | undefined;
  do {
    const words = new URLSearchParams(isDetail ? { limit: "5000" } : {});
    if (cursor) words.set("cursor", cursor);
    const page = await getNamed<Snapshot>(words.size > 0 ? `${path}?${words}` : path);
    take(page);
    cursor = isDetail ? page.next_cursor : undefined;
  } while (cursor);
}
