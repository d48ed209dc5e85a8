import { holds, type WalRecord } from "../wal.ts";
import type { CreateChecker } from "./checker.ts";

interface Promotion {
  readonly node: string;
  readonly epoch: number;
  readonly opened: WalRecord;
}

/**
 * No acknowledged write is lost, and a deposed primary completes no commit beyond what the new history holds. Checked at each
 * promotion (everything acknowledged so far is in it), at each acknowledgement (it is in the newest history), and at the end.
 */
export const checkAcknowledgedWrites: CreateChecker = (sim, violate) => {
  const acknowledged = new Set<WalRecord>();
  const promotedEpoch = new Map<string, number>();
  const grantedEpoch = new Map<string, number>();
  let newest: Promotion | null = null;
  let reported = 0;

  const missingFrom = (head: WalRecord): WalRecord[] => {
    const found = new Set<WalRecord>();
    for (let at: WalRecord | null = head; at !== null; at = at.previous) if (acknowledged.has(at)) found.add(at);
    return found.size === acknowledged.size ? [] : [...acknowledged].filter((record) => !found.has(record));
  };
  const report = (missing: readonly WalRecord[], where: string): void => {
    const first = missing[0];
    if (first === undefined || reported++ > 0) return;
    violate(
      `${missing.length} acknowledged rows (first: row ${first.row}, timeline ${first.timeline}) are missing ${where}`,
    );
  };

  return {
    observe(event) {
      switch (event.kind) {
        case "grant-accepted":
          if (event.verb === "postgres.promote") grantedEpoch.set(event.node, event.grant.epoch);
          break;
        case "postgres-promoted": {
          const epoch = grantedEpoch.get(event.node) ?? 0;
          promotedEpoch.set(event.node, epoch);
          if (newest !== null && epoch < newest.epoch) break;
          newest = { node: event.node, epoch, opened: event.opened };
          report(missingFrom(event.fork), `from the history that ${event.node} opened in epoch ${epoch}`);
          break;
        }
        case "row-acknowledged": {
          if (event.asynchronous) {
            violate(`${event.node} acknowledged row ${event.record.row} without waiting for any standby`);
          }
          acknowledged.add(event.record);
          const deposed = newest !== null && promotedEpoch.get(event.node) !== newest.epoch;
          if (deposed && newest !== null && !holds(newest.opened, event.record)) {
            violate(
              `deposed ${event.node} acknowledged row ${event.record.row}, which ${newest.node}'s epoch ${newest.epoch} lacks`,
            );
          }
          break;
        }
        default:
          break;
      }
    },
    finish() {
      const primary = sim.nodes.find((node) => node.postgres.answers && node.postgres.role === "primary");
      if (primary !== undefined) report(missingFrom(primary.postgres.disk.written), `from ${primary.name} at the end`);
    },
  };
};
