import { holds, type WalRecord } from "../wal.ts";
import type { CreateChecker } from "./checker.ts";

/**
 * What users could see on a primary that was started again is not taken back by a failover, though nobody was told that it is safe:
 * after crash recovery a commit that was still waiting for a standby looks like any other.
 */
export const checkVisibleWrites: CreateChecker = (_sim, violate) => {
  const shown: { readonly node: string; readonly row: WalRecord }[] = [];
  const grantedEpoch = new Map<string, number>();
  let newestEpoch = 0;
  return {
    observe(event) {
      if (event.kind === "grant-accepted" && event.verb === "postgres.promote") {
        grantedEpoch.set(event.node, event.grant.epoch);
      } else if (event.kind === "users-let-in") {
        const row = newestRow(event.head);
        if (row !== null) shown.push({ node: event.node, row });
      } else if (event.kind === "postgres-promoted") {
        const epoch = grantedEpoch.get(event.node) ?? 0;
        if (epoch < newestEpoch) return;
        newestEpoch = epoch;
        const lost = shown.find(({ row }) => !holds(event.fork, row));
        if (lost === undefined) return;
        violate(`users saw row ${lost.row.row} on ${lost.node}, and ${event.node} opened its history without it`);
      }
    },
  };
};

function newestRow(head: WalRecord): WalRecord | null {
  let at: WalRecord | null = head;
  while (at !== null && at.kind !== "row") at = at.previous;
  return at;
}
