import type { CreateChecker } from "./checker.ts";

/**
 * No two histories meet under one timeline number: PostgreSQL tells histories apart by that number alone. A number may be opened twice only
 * while the two never meet: who lost must be cloned before it streams again.
 */
export const checkTimelines: CreateChecker = (_sim, violate) => ({
  observe(event) {
    if (event.kind !== "history-mixed") return;
    violate(`${event.node} would mix a foreign history of timeline ${event.timeline} with ${event.with}'s`);
  },
});
