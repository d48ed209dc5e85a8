import type { SyncConfiguration } from "../../../server/core/index.ts";
import type { Lsn } from "../../../server/core/replication/lsn.ts";
import { monotonicMs, poll } from "../../shared/time.ts";
import type { PostgresInstance } from "./instance.ts";
import { applicationName } from "./names.ts";
import { asLsn } from "./status-query.ts";
import { Failure } from "./verbs/context.ts";

export interface FlushBarrier {
  readonly lsn: Lsn | null;
  readonly deadlineMs: number;
  /** Once k hold it, the other members that stream get this long as well. */
  readonly levelWithinMs?: number;
  /** False as soon as something higher was promised. */
  stillHolds(): boolean;
}

/**
 * Waits until k members of the configuration have flushed this primary's WAL up to a position. An unknown position is never reached.
 * @throws Failure `overtaken`, `barrier-overdue`
 */
export async function waitUntilFlushed(
  instance: PostgresInstance,
  configuration: SyncConfiguration,
  barrier: FlushBarrier,
): Promise<void> {
  const names = configuration.members.map((node) => applicationName(configuration.epoch, node));
  const { lsn, levelWithinMs = 0 } = barrier;
  let heldSinceMs: number | null = null;
  const flushed = await poll(
    async () => {
      if (!barrier.stillHolds() || !instance.running)
        throw new Failure("overtaken", "this primary ended or lost its grant before its standbys were level");
      const rows = await (await instance.control()).query(
        "SELECT flush_lsn FROM pg_stat_replication WHERE application_name = ANY ($1::text[]) AND state = 'streaming'",
        [names],
        2_000,
      );
      const holding = rows.filter((row) => lsn !== null && (asLsn(row.flush_lsn) ?? 0) >= lsn).length;
      if (holding < configuration.k) return null;
      const nowMs = monotonicMs();
      heldSinceMs ??= nowMs;
      return holding === rows.length || nowMs - heldSinceMs >= levelWithinMs ? true : null;
    },
    { intervalMs: levelWithinMs > 0 ? 4 : 20, deadlineMs: barrier.deadlineMs },
  );
  if (flushed === null)
    throw new Failure(
      "barrier-overdue",
      `fewer than ${configuration.k} members have flushed this primary's WAL within ${barrier.deadlineMs} ms`,
    );
}
