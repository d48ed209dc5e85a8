import type { ClusterRecord } from "../recovery/types.ts";
import type { Policy } from "./types.ts";

/** Automatic failovers used within the window, how many there are, and when (wall clock) the next one becomes free; null when one is free now. */
export function describeBudget(
  cluster: ClusterRecord,
  policy: Policy,
  wallMs: number,
): { used: number; of: number; nextFreeAt: number | null } {
  const recent = cluster.budgetUsedAt.filter((at) => wallMs - at < policy.failoverBudgetWindowMs);
  const oldest = recent[0];
  const full = recent.length >= policy.failoverBudget && oldest !== undefined;
  return {
    used: recent.length,
    of: policy.failoverBudget,
    nextFreeAt: full ? oldest + policy.failoverBudgetWindowMs : null,
  };
}
