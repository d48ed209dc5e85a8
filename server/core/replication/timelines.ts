import type { Lsn } from "./lsn.ts";

/** As many are told, and an agent takes no more; a member on an older one is rewound or cloned. */
export const mostTimelines = 64;

/** A timeline of the cluster's history. */
export interface TimelineStart {
  readonly timeline: number;
  /** Where it left the one before it; null when that is not known, as of the first. */
  readonly switchLsn: Lsn | null;
}

/**
 * True when a server at this position has nothing that the history lacks: it may simply follow. It must not be past the point at which a later
 * timeline left its own. `history`: oldest first, the last one is the primary's. Source: PostgreSQL manual, "Timelines".
 */
export function fitsHistory(history: readonly TimelineStart[], timeline: number, lsn: Lsn): boolean {
  const first = history[0];
  const last = history.at(-1);
  if (first === undefined || last === undefined || timeline < first.timeline || timeline > last.timeline) return false;
  const next = history.find((start) => start.timeline > timeline);
  return next === undefined || (next.switchLsn !== null && lsn <= next.switchLsn);
}
