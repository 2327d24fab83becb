/** Sums over model calls, as a person would say them. */
import type { LlmTotals } from "../api/types";
import { count, dollars } from "./quantity";

/** What the calls cost; a dash when none of them says. */
export function costOf(llm: Pick<LlmTotals, "priced_calls" | "cost_usd">): string {
  return llm.priced_calls > 0 ? dollars(llm.cost_usd) : "–";
}

/** Of how many calls the cost is known, where that is not all of them. */
export function costShare(llm: Pick<LlmTotals, "priced_calls" | "calls">): string {
  const isPart = llm.priced_calls > 0 && llm.priced_calls < llm.calls;
  return isPart ? `for ${count(llm.priced_calls)} of ${count(llm.calls)} calls` : "";
}
