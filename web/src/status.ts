/** How a state looks. A total record: a state that the server adds does not compile here until it has a look. */
import type { Status } from "./api/types";

export interface Look {
  /** In words. */
  text: string;
  /** The CSS variable of its colour. */
  colour: string;
  /** How bad it is, for "worst first". */
  rank: number;
  /** Whether it still changes. */
  open: boolean;
}

export const LOOKS: Record<Status, Look> = {
  failed: { text: "failed", colour: "var(--failed)", rank: 9, open: false },
  lost: { text: "lost", colour: "var(--lost)", rank: 8, open: true },
  terminated: { text: "terminated", colour: "var(--lost)", rank: 7, open: false },
  max_steps: { text: "max steps", colour: "var(--lost)", rank: 7, open: false },
  waiting: { text: "waiting", colour: "var(--waiting)", rank: 6, open: true },
  running: { text: "running", colour: "var(--running)", rank: 5, open: true },
  cancelled: { text: "cancelled", colour: "var(--quiet)", rank: 4, open: false },
  queued: { text: "queued", colour: "var(--queued)", rank: 3, open: true },
  pending: { text: "not run", colour: "var(--quiet)", rank: 2, open: false },
  skipped: { text: "skipped", colour: "var(--quiet)", rank: 1, open: false },
  completed: { text: "completed", colour: "var(--completed)", rank: 0, open: false },
};

/** A look for any word, also of a newer server. */
export function look(status: string): Look {
  return (
    (LOOKS as Record<string, Look>)[status] ?? { text: status, colour: "var(--quiet)", rank: 0, open: false }
  );
}

export const EXECUTION_STATUSES = [
  "running",
  "waiting",
  "lost",
  "failed",
  "completed",
  "cancelled",
  "terminated",
  "max_steps",
] as const;
