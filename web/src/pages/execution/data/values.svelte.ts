/** The recorded values of a run, the one that is picked, and everything it came from or that came of it: for data, graph and timeline alike. */
import { get } from "../../../api/client";
import { loaded } from "../../../api/loaded.svelte";
import type { DataEdge, Query, ValueRead, ValueWrite } from "../../../api/types";
import { router } from "../../../router/router.svelte";
import { settings } from "../../../settings.svelte";
import { look } from "../../../status";
import type { ExecutionView } from "../view.svelte";
import { Lineage, type Touching } from "./lineage";

const MOST_PAGES = 20;
/** Of a run that goes on it is asked again each so many microseconds. */
const AGAIN = 2e6;

export interface Recorded {
  writes: ValueWrite[];
  reads: ValueRead[];
  edges: DataEdge[];
  /** Whether there is more than is shown. */
  more: boolean;
}

export class Values {
  private readonly view: ExecutionView;

  /** Call it while a component is made. */
  constructor(view: ExecutionView) {
    this.view = view;
  }

  private readonly isWanted: boolean = $derived.by(
    () => this.view.tab === "data" || router.word("key") !== undefined,
  );
  private readonly stage: number = $derived.by(() => {
    const { execution } = this.view;
    return execution && look(execution.status).open ? Math.floor(settings.now / AGAIN) : 0;
  });
  readonly answer = loaded((signal) => {
    void this.stage;
    return this.isWanted ? all(this.view.id, signal) : undefined;
  });
  readonly lineage: Lineage | undefined = $derived.by(() =>
    this.answer.data ? new Lineage(this.answer.data) : undefined,
  );

  /** The version that the address names, else the latest of that key. */
  readonly picked: ValueWrite | undefined = $derived.by(() => {
    const [key, channel, version] = [router.word("key"), router.word("channel"), router.word("version")];
    if (key === undefined) return undefined;
    const versions = (this.answer.data?.writes ?? []).filter(
      (write) => write.key === key && (channel === undefined || write.channel === channel),
    );
    return versions.find((write) => write.version === Number(version)) ?? versions.at(-1);
  });
  readonly around: { upstream: Set<string>; downstream: Set<string> } | undefined = $derived.by(() =>
    this.picked ? this.lineage?.around(this.picked) : undefined,
  );
  /** Who wrote or read the picked version and those around it. */
  readonly lit: Touching | undefined = $derived.by(() =>
    this.picked ? this.lineage?.touching(this.picked) : undefined,
  );

  pick(write: ValueWrite | undefined): void {
    router.set(
      write
        ? { key: write.key, channel: write.channel, version: String(write.version) }
        : { key: null, channel: null, version: null },
      true,
    );
  }
}

async function all(id: string, signal: AbortSignal): Promise<Recorded> {
  const sum: Recorded = { writes: [], reads: [], edges: [], more: false };
  let cursor: string | null | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const query = { limit: 5_000, ...(cursor ? { cursor } : {}) } as Query<"/api/executions/{id}/data">;
    const data = await get("/api/executions/{id}/data", { names: { id }, query, signal });
    sum.writes.push(...data.writes);
    sum.reads.push(...data.reads);
    sum.edges.push(...data.edges);
    cursor = data.next_cursor;
    if (!cursor) return sum;
  }
  sum.more = true;
  return sum;
}
