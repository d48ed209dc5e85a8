import type { PromoteReply } from "../../../../server/core/index.ts";
import { monotonicMs, poll } from "../../../shared/time.ts";
import type { PostgresInstance } from "../instance.ts";
import { othersOf } from "../names.ts";
import { primarySettings } from "../settings.ts";
import type { SqlConnection } from "../sql.ts";
import { asNumber } from "../status-query.ts";
import { type ArgsOf, assertDatabase, assertHolds, type Data, Failure, Refusal, type VerbContext } from "./context.ts";

const promotionDeadlineMs = 60_000;

/**
 * Makes this standby the primary of its grant. The names of the new epoch are written first: what commits after the promotion waits for
 * members that follow it.
 */
export async function promote(context: VerbContext, args: ArgsOf<"postgres.promote">): Promise<Data> {
  const { instance } = context;
  const startedAt = monotonicMs();
  assertDatabase(instance);
  if (!instance.running)
    throw new Refusal("stopped", "PostgreSQL does not run on this member; it must be sealed first");
  await instance.lease.waitToBegin(args.configuration);
  const connection = await instance.control();
  await instance.applySettings(primarySettings(args.configuration));
  if (await instance.inRecovery()) {
    const current = (await readControlTimeline(connection)) ?? args.timeline - 1;
    await instance.data.reserveTimelines(Math.max(current, instance.host.timeline() ?? 0), args.timeline);
    assertHolds(context);
    await clearTheWay(connection);
    await connection.query("SELECT pg_promote(false)", [], 2_000);
    // Normally they are there since this member follows; otherwise there is time for them now.
    await instance.ensureSlots(othersOf(args.peers, instance.service.node)).catch((error: unknown) => {
      instance.host.log("warn", "slots for the followers could not be made", { error: String(error) });
    });
    await waitForPromotion(connection);
  }
  const place = await readPlace(instance, connection);
  const value: PromoteReply = { ...place, ms: Math.round(monotonicMs() - startedAt) };
  instance.monitor.wake();
  return { ...value };
}

async function readControlTimeline(connection: SqlConnection): Promise<number | null> {
  const [row] = await connection.query(
    "SELECT greatest((SELECT timeline_id FROM pg_control_checkpoint()), (SELECT min_recovery_end_timeline FROM pg_control_recovery())) AS timeline",
    [],
    2_000,
  );
  return asNumber(row?.timeline);
}

/** Replay must come to its end: it is resumed, and readers that hold it up are ended. */
async function clearTheWay(connection: SqlConnection): Promise<void> {
  await connection.query(
    `SELECT CASE WHEN pg_is_wal_replay_paused() THEN pg_wal_replay_resume() END,
      (SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND application_name NOT LIKE 'holdfast %'
          AND (backend_xmin IS NOT NULL OR state LIKE 'idle in transaction%')
          AND pg_last_wal_replay_lsn() < pg_last_wal_receive_lsn())`,
    [],
    2_000,
  );
}

/** `pg_promote(true)` looks only every 100 ms. */
async function waitForPromotion(connection: SqlConnection): Promise<void> {
  const done = await poll(
    async () => {
      const [row] = await connection.query("SELECT pg_is_in_recovery() AS recovery", [], 5_000);
      return row?.recovery === false ? true : null;
    },
    { intervalMs: 3, deadlineMs: promotionDeadlineMs },
  );
  if (done === null)
    throw new Failure(
      "promotion-overdue",
      `still in recovery ${promotionDeadlineMs} ms after the promotion was asked for`,
    );
}

/** The new timeline, and where it begins by its history file. */
async function readPlace(
  instance: PostgresInstance,
  connection: SqlConnection,
): Promise<{ readonly timeline: number; readonly switchLsn: number }> {
  const [row] = await connection.query("SELECT pg_walfile_name(pg_current_wal_lsn()) AS file", [], 2_000);
  const timeline = Number.parseInt(String(row?.file).slice(0, 8), 16);
  const begin = await instance.data.timelineSwitch(timeline);
  if (!Number.isInteger(timeline) || begin === null) {
    throw new Failure("timeline-unknown", "PostgreSQL was promoted, and its new timeline could not be read");
  }
  return { timeline, switchLsn: begin.lsn };
}
