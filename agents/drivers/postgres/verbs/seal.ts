import type { SealReply } from "../../../../server/core/index.ts";
import type { Lsn } from "../../../../server/core/replication/lsn.ts";
import { monotonicMs, poll } from "../../../shared/time.ts";
import type { PostgresInstance } from "../instance.ts";
import { signal } from "../processes.ts";
import { lsnOf } from "../reported.ts";
import { fencedSettings } from "../settings.ts";
import { asLsn, asNumber, asText } from "../status-query.ts";
import { type Data, Failure, type VerbContext } from "./context.ts";

const receiverDeadlineMs = 10_000;
const walEndDeadlineMs = 120_000;

/**
 * Seals this member: nothing more is received from any primary, and local WAL is read to its end. The promise is durable already.
 * A member that issued a promote nobody confirmed, or that runs as a primary, is stopped and says so instead.
 */
export async function seal({ instance }: VerbContext): Promise<Data> {
  const startedAt = monotonicMs();
  if (instance.empty || instance.rejoining) return reply(instance, null, null, false, 0);
  const fence = instance.host.fence();
  if (fence.promoteIssuedEpoch !== null) {
    await instance.stopFenced();
    return reply(instance, null, null, true, monotonicMs() - startedAt);
  }
  if (!instance.running) {
    await instance.startStandby(fencedSettings);
  } else if (!(await instance.inRecovery())) {
    await instance.stopFenced();
    return reply(instance, null, null, true, monotonicMs() - startedAt);
  } else {
    await instance.applySettings(fencedSettings);
    await endReceiver(instance);
  }
  const receiverGoneMs = monotonicMs() - startedAt;
  const end = await readWalEnd(instance);
  instance.monitor.wake();
  return reply(instance, end.timeline, end.lsn, false, receiverGoneMs);
}

function reply(
  instance: PostgresInstance,
  timeline: number | null,
  lsn: Lsn | null,
  promoted: boolean,
  receiverGoneMs: number,
): Data {
  const { configurations } = instance.host.fence();
  const value: SealReply = { timeline, lsn, configurations, promoted, receiverGoneMs: Math.round(receiverGoneMs) };
  return { ...value };
}

/**
 * Ends the WAL receiver and waits until it stays away. Clearing the connection setting is not enough: the startup process looks at it only
 * between records, and one long reader holds it up for as long as it likes.
 */
async function endReceiver(instance: PostgresInstance): Promise<void> {
  const connection = await instance.control();
  let quiet = 0;
  const gone = await poll(
    async () => {
      const [row] = await connection.query(
        "SELECT current_setting('primary_conninfo') AS conninfo, (SELECT pid FROM pg_stat_activity WHERE backend_type = 'walreceiver') AS pid",
        [],
        1_000,
      );
      const pid = asNumber(row?.pid);
      // Before the setting is read everywhere the startup process would bring the receiver back.
      const read = asText(row?.conninfo) === "";
      if (read && pid !== null) signal(pid, "SIGTERM");
      quiet = read && pid === null ? quiet + 1 : 0;
      return quiet >= 2 ? true : null;
    },
    { intervalMs: 8, deadlineMs: receiverDeadlineMs },
  );
  if (gone === null)
    throw new Failure("receiver-stays", `the WAL receiver did not end within ${receiverDeadlineMs} ms`);
}

const walEndQuery = `
SELECT pg_last_wal_receive_lsn() AS receive, pg_last_wal_replay_lsn() AS replay, pg_is_wal_replay_paused() AS paused,
  (SELECT wait_event FROM pg_stat_activity WHERE backend_type = 'startup') AS waiting,
  (SELECT timeline_id FROM pg_control_checkpoint()) AS checkpoint_timeline,
  (SELECT min_recovery_end_timeline FROM pg_control_recovery()) AS recovery_timeline,
  (SELECT bytes_per_wal_segment FROM pg_control_init()) AS segment_bytes`;

/** What the startup process waits for when it has replayed everything there is. */
const atEnd = new Set(["RecoveryWalStream", "RecoveryWalAll", "RecoveryRetrieveRetryInterval"]);

/** End of local WAL: what was received since the start, or, after a restart, where replay has nothing more to read. */
export async function readWalEnd(
  instance: PostgresInstance,
): Promise<{ readonly timeline: number | null; readonly lsn: Lsn | null }> {
  const connection = await instance.control();
  let before: Lsn | null = null;
  let still = 0;
  const end = await poll(
    async () => {
      const [row] = await connection.query(walEndQuery, [], 2_000);
      const receiveLsn = asLsn(row?.receive);
      const replayLsn = asLsn(row?.replay);
      const position = { recovery: true, flushLsn: null, receiveLsn, replayLsn };
      if (row?.paused === true && receiveLsn === null)
        await connection.query("SELECT pg_wal_replay_resume()", [], 2_000);
      still = replayLsn !== null && replayLsn === before && atEnd.has(asText(row?.waiting) ?? "") ? still + 1 : 0;
      before = replayLsn;
      if (receiveLsn === null && still < 3) return null;
      return { lsn: lsnOf(position), row };
    },
    { intervalMs: 15, deadlineMs: walEndDeadlineMs },
  );
  if (end === null || end.lsn === null) return { timeline: null, lsn: null };
  const segmentBytes = asNumber(end.row?.segment_bytes) ?? 16 * 1024 * 1024;
  const known = [
    asNumber(end.row?.checkpoint_timeline),
    asNumber(end.row?.recovery_timeline),
    instance.host.timeline(),
    await instance.data.timelineAt(end.lsn, segmentBytes),
  ];
  return { timeline: Math.max(0, ...known.map((timeline) => timeline ?? 0)) || null, lsn: end.lsn };
}
