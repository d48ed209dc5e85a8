import type { CreateChecker } from "./checker.ts";

/** No two histories share a timeline: PostgreSQL tells histories apart by that number alone. */
export const checkTimelines: CreateChecker = (_sim, violate) => {
  const openedBy = new Map<number, string>();
  return {
    observe(event, nowMs) {
      if (event.kind === "history-mixed") {
        violate(`${event.node} would mix a foreign history of timeline ${event.timeline} with ${event.with}'s`);
      } else if (event.kind === "postgres-promoted") {
        const { timeline } = event.opened;
        const before = openedBy.get(timeline);
        if (before !== undefined) violate(`timeline ${timeline} was opened by ${before} and again by ${event.node}`);
        openedBy.set(timeline, `${event.node} at ${Math.round(nowMs)} ms`);
      }
    },
  };
};
