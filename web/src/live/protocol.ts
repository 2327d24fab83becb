/** What the live stream says, and where a viewer goes on when its socket breaks. No socket, no clock: only rules. */
import type { Rows } from "../api/types";

/** One message. */
export interface Message {
  type: string;
  timestamp: string;
  seq: number;
  data: {
    instance_id?: string;
    as_of_seq?: number;
    resumed_after?: number;
    rows?: Rows;
    fetch?: string[];
    last_seq?: number;
    event?: Record<string, unknown>;
  };
}

/** What a message asks a page to do. */
export type Step =
  | { do: "begin"; rows: Rows | undefined; fetch: string[]; seq: number }
  | { do: "put"; rows: Rows; seq: number; event: Record<string, unknown> | undefined }
  | { do: "reconnect" }
  | { do: "nothing" };

/** How far one viewer has heard, over all its sockets. */
export class Position {
  private instance: string | undefined;
  /** Every message up to here was heard; none: begin from a snapshot. */
  seq: number | undefined;

  /** Takes a message, says what to do. */
  hear(message: Message): Step {
    const { type, seq, data } = message;
    if (type === "hello") {
      const other = this.instance !== undefined && this.instance !== data.instance_id;
      this.instance = data.instance_id;
      if (data.resumed_after !== undefined && other) {
        // The server began anew, perhaps with another folder: its numbers may mean other events.
        this.seq = undefined;
        return { do: "reconnect" };
      }
      if (data.resumed_after !== undefined) return { do: "nothing" };
      // With neither rows nor paths a `resync` follows.
      if (!data.rows && !data.fetch) return { do: "nothing" };
      return this.begin(message);
    }
    if (type === "resync") return this.begin(message);
    if (this.seq !== undefined) this.seq = Math.max(this.seq, seq);
    if (type === "ping" || !data.rows) return { do: "nothing" };
    return { do: "put", rows: data.rows, seq, event: data.event };
  }

  private begin({ seq, data }: Message): Step {
    this.seq = data.as_of_seq ?? seq;
    return { do: "begin", rows: data.rows, fetch: data.fetch ?? [], seq: this.seq };
  }
}
