/**
 * Walking the recorded data lineage: from a version of a value to those it came from, and to those that came of it.
 *
 * A version came from all that its writer had read before; nothing is inferred here beyond the recorded edges.
 */
import type { DataEdge, ValueRead, ValueWrite } from "../../../api/types";

type Version = { channel: string; key: string; version: number };

export const versionId = ({ channel, key, version }: Version): string =>
  `${channel}\u0000${key}\u0000${version}`;

/** Who has to do with a version and those around it. */
export interface Touching {
  tasks: ReadonlySet<string>;
  /** By `task_execution_id`. */
  executions: ReadonlySet<string>;
}

export class Lineage {
  private readonly writes = new Map<string, ValueWrite>();
  private readonly readBy = new Map<string, DataEdge["reader"][]>();
  private readonly readsOf = new Map<string, { id: string; time: string }[]>();
  private readonly writesOf = new Map<string, ValueWrite[]>();

  constructor(data: { writes: ValueWrite[]; reads: ValueRead[]; edges: DataEdge[] }) {
    for (const write of data.writes) {
      this.writes.set(versionId(write), write);
      if (write.task_execution_id) push(this.writesOf, write.task_execution_id, write);
    }
    for (const edge of data.edges) push(this.readBy, versionId(edge), edge.reader);
    for (const read of data.reads) {
      if (!read.task_execution_id || read.version === null) continue;
      const id = versionId({ ...read, version: read.version });
      push(this.readsOf, read.task_execution_id, { id, time: read.time });
    }
  }

  /** Who read a version. */
  readers(write: Version): DataEdge["reader"][] {
    return this.readBy.get(versionId(write)) ?? [];
  }

  /** All versions that a version came from, and all that came of it. */
  around(write: ValueWrite): { upstream: Set<string>; downstream: Set<string> } {
    return {
      upstream: this.walk(write, (of) => this.sources(of)),
      downstream: this.walk(write, (of) => this.results(of)),
    };
  }

  /** Who wrote it or what it came from, and who read it or wrote or read what came of it. */
  touching(write: ValueWrite): Touching {
    const [tasks, executions] = [new Set<string>(), new Set<string>()];
    const add = (who: { task_id?: string | null; task_execution_id?: string | null } | undefined) => {
      if (who?.task_id) tasks.add(who.task_id);
      if (who?.task_execution_id) executions.add(who.task_execution_id);
    };
    const { upstream, downstream } = this.around(write);
    add(write);
    for (const id of [...upstream, ...downstream]) add(this.writes.get(id));
    for (const id of [versionId(write), ...downstream]) this.readBy.get(id)?.forEach(add);
    return { tasks, executions };
  }

  /** One way up, the latest read at each step: enough for a line of breadcrumbs. */
  trail(write: ValueWrite, most = 5): ValueWrite[] {
    const steps: ValueWrite[] = [];
    const seen = new Set([versionId(write)]);
    for (let at: ValueWrite | undefined = write; at && steps.length < most;) {
      at = this.sources(at).find((source) => !seen.has(versionId(source)));
      if (at) {
        seen.add(versionId(at));
        steps.push(at);
      }
    }
    return steps;
  }

  private walk(from: ValueWrite, next: (of: ValueWrite) => ValueWrite[]): Set<string> {
    const seen = new Set<string>();
    const queue = [from];
    for (let at = queue.pop(); at; at = queue.pop()) {
      for (const other of next(at)) {
        const id = versionId(other);
        if (seen.has(id) || id === versionId(from)) continue;
        seen.add(id);
        queue.push(other);
      }
    }
    return seen;
  }

  /** What the writer had read by then, latest first. */
  private sources(write: ValueWrite): ValueWrite[] {
    const reads = this.readsOf.get(write.task_execution_id ?? "") ?? [];
    return reads
      .filter(({ time }) => time <= write.time)
      .reverse()
      .flatMap(({ id }) => this.writes.get(id) ?? []);
  }

  /** What its readers wrote from then on. */
  private results(write: ValueWrite): ValueWrite[] {
    const id = versionId(write);
    return this.readers(write).flatMap(({ task_execution_id: reader }) => {
      const read = this.readsOf.get(reader ?? "")?.find((one) => one.id === id);
      return (this.writesOf.get(reader ?? "") ?? []).filter((other) => !read || other.time >= read.time);
    });
  }
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}
