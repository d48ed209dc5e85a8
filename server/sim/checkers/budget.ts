import type { CreateChecker } from "./checker.ts";

/** Automatic failovers stay within their budget. Counted by promotions sent, in virtual time. */
export const checkBudget: CreateChecker = (sim, violate) => {
  const startedMs: number[] = [];
  const counted = new Set<string>();
  return {
    observe(event, nowMs) {
      if (event.kind !== "control-committed") return;
      const { failoverBudget, failoverBudgetWindowMs } = sim.control.policy;
      for (const write of event.writes) {
        if (write.kind !== "put-action") continue;
        const { value } = write;
        if (value.kind !== "failover" || !value.automatic || !value.promoteSent || counted.has(value.id)) continue;
        counted.add(value.id);
        startedMs.push(nowMs);
        // A clock that runs a little fast shortens the window by as much.
        const within = startedMs.filter((at) => nowMs - at < failoverBudgetWindowMs * 0.98);
        if (within.length > failoverBudget) {
          violate(`${within.length} automatic failovers within the window, ${failoverBudget} are allowed`);
        }
      }
    },
  };
};
