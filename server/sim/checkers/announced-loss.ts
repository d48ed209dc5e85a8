import { holds, type WalRecord } from "../wal.ts";
import type { CreateChecker } from "./checker.ts";

/**
 * Asynchronous mode: a failover loses no more than was announced before it, a planned change nothing; what was kept then is kept for ever.
 */
export const checkAnnouncedLoss: CreateChecker = (sim, violate) => {
  let acknowledged: WalRecord[] = [];

  /** Bytes of the old history, up to its last acknowledged row, that this one lacks. */
  const takeLost = (head: WalRecord): number => {
    const missing = acknowledged.filter((record) => !holds(head, record));
    acknowledged = acknowledged.filter((record) => !missing.includes(record));
    const ends = missing.map((record) => record.lsn);
    return ends.length === 0 ? 0 : Math.max(...ends) - Math.min(head.lsn, ...ends);
  };

  return {
    observe(event) {
      if (event.kind === "row-acknowledged") acknowledged.push(event.record);
      if (event.kind !== "postgres-promoted") return;
      const cluster = sim.control.tables.clusters.get(sim.cluster);
      const record = cluster?.epochs.findLast((each) => each.primary === event.node);
      if (cluster?.durability.mode !== "async" || record === undefined) return;
      const lost = takeLost(event.fork);
      const action = sim.control.tables.actions.get(record.actionId ?? "");
      const accepted = action?.acceptedLossBytes ?? cluster.durability.maxLagBytes;
      // Nobody knew, and a person accepted that.
      if (action?.acceptedLossBytes === null) return;
      const most = record.fencedBy === "shutdown" ? 0 : accepted;
      if (lost > most)
        violate(
          `${event.node}'s epoch ${record.epoch} lost ${lost} bytes (fenced by ${record.fencedBy}), ${most} were accepted`,
        );
    },
    finish() {
      const primary = sim.nodes.find((node) => node.postgres.answers && node.postgres.role === "primary");
      const lost = primary === undefined ? 0 : takeLost(primary.postgres.disk.written);
      if (lost > 0) violate(`${lost} bytes that were kept by every failover are missing at the end`);
    },
  };
};
