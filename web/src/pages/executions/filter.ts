/** What the list of runs can be asked by: the words of the address are those of `GET /api/executions`. */

import type { Query } from "../../api/types";

export const WORDS = [
  "q",
  "workflow_name",
  "status",
  "started_after",
  "started_before",
  "duration_min",
  "duration_max",
  "fingerprint",
  "id_prefix",
  "trace_id",
] as const;

export type Filter = Partial<Record<(typeof WORDS)[number] | `label.${string}`, string>>;

/** The same as the server's question: it reads numbers from text itself. */
export const asQuery = (
  filter: Filter,
  words: { limit: number; cursor?: string },
): Query<"/api/executions"> => ({ ...filter, ...words }) as unknown as Query<"/api/executions">;

/** Reads the filter out of an address; words of other meaning are left alone. */
export function queryOf(query: URLSearchParams): Filter {
  const filter: Filter = {};
  for (const [name, value] of query) {
    if (value === "") continue;
    if ((WORDS as readonly string[]).includes(name) || name.startsWith("label.")) {
      filter[name as keyof Filter] = value;
    }
  }
  return filter;
}
