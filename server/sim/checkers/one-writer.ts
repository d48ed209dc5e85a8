import { holds, type WalRecord } from "../wal.ts";
import type { CreateChecker } from "./checker.ts";

/**
 * Asynchronous mode: never do two primaries of different epochs take writes at the same time. From the moment a new history is opened nobody
 * acknowledges a row that is not in it.
 */
export const checkOneWriter: CreateChecker = (_sim, violate) => {
  let newest: { readonly node: string; readonly epoch: number; readonly opened: WalRecord } | null = null;
  const grantedEpoch = new Map<string, number>();
  return {
    observe(event) {
      if (event.kind === "grant-accepted" && event.verb === "postgres.promote") {
        grantedEpoch.set(event.node, event.grant.epoch);
      } else if (event.kind === "postgres-promoted") {
        const epoch = grantedEpoch.get(event.node) ?? 0;
        if (newest === null || epoch >= newest.epoch) newest = { node: event.node, epoch, opened: event.opened };
      } else if (event.kind === "row-acknowledged" && newest !== null && !holds(event.record, newest.opened)) {
        violate(
          `${event.node} acknowledged row ${event.record.row} on timeline ${event.record.timeline} while ${newest.node} is primary of epoch ${newest.epoch}`,
        );
      }
    },
  };
};
