import type { SyncConfiguration } from "../../../../server/core/index.ts";
import type { Lsn } from "../../../../server/core/replication/lsn.ts";
import { monotonicMs } from "../../../shared/time.ts";
import { waitUntilFlushed } from "../flushed.ts";
import { startAsPrimary } from "../gate.ts";
import type { PostgresInstance } from "../instance.ts";
import { makeWritable, quiesce } from "../sessions.ts";
import { fencedSettings } from "../settings.ts";
import { asLsn, asNumber, heartbeatRow } from "../status-query.ts";
import { type ArgsOf, assertDatabase, type Data, Failure, Refusal, type VerbContext } from "./context.ts";

/** Standbys beyond the needed ones get this long to be level as well: the one that a person has chosen may be among them. */
const levelWithinMs = 300;
/** Replayed within about a second after a start, and flushed within one before a shutdown. */
const littleWalBytes = 64 * 1024 * 1024;

/**
 * Switchover, first half: no more writes here, and everything up to the position in the reply is with the standbys. Where commits wait for
 * standbys it is enough that the sessions are ended, since nothing is acknowledged here once they are sealed (`way: "quiesce"`): the server
 * runs on until it is told whom to follow. Otherwise it is shut down. A primary that is not there in time admits writes as before, and the
 * step has failed.
 */
export async function demote(context: VerbContext, args: ArgsOf<"postgres.demote">): Promise<Data> {
  const { instance } = context;
  const startedAt = monotonicMs();
  assertDatabase(instance);
  if (instance.running && (await instance.inRecovery())) throw new Refusal("is-standby", "this member is a standby");
  if (!instance.running) {
    const { lsn = null } = (await instance.data.shutdownPosition()) ?? {};
    return { lsn, ms: 0, stopped: true };
  }
  await checkpointIfMuchIsNew(instance, args.deadlineMs);
  const pausedAt = monotonicMs();
  // From here whatever starts it again, the machine included, finds a standby.
  await instance.data.setStandbySignal(true);
  instance.monitor.hold();
  const configuration = args.way === "quiesce" ? waitingConfiguration(instance) : null;
  const reply =
    configuration === null ? await shutDown(context, args.deadlineMs) : await handOver(context, configuration, args);
  const now = monotonicMs();
  return { ...reply, ms: Math.round(now - startedAt), pausedMs: Math.round(now - pausedAt) };
}

/**
 * Before the pause: what is written down now need not be recovered, or flushed, afterwards. Not worth the wait where a start would replay it in
 * a moment.
 */
async function checkpointIfMuchIsNew(instance: PostgresInstance, deadlineMs: number): Promise<void> {
  const connection = await instance.control();
  const [row] = await connection.query(
    "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::float8 AS bytes FROM pg_control_checkpoint()",
    [],
    deadlineMs,
  );
  if ((asNumber(row?.bytes) ?? Number.POSITIVE_INFINITY) < littleWalBytes) return;
  await connection.query("CHECKPOINT", [], deadlineMs).catch(() => undefined);
}

/** The configuration under which this member's commits wait for standbys; null when they do not. */
function waitingConfiguration(instance: PostgresInstance): SyncConfiguration | null {
  const { standing } = instance.host.fence();
  const configuration = standing.kind === "demoted" ? standing.configuration : null;
  return configuration !== null && configuration.k > 0 && configuration.lease === undefined ? configuration : null;
}

async function handOver(
  context: VerbContext,
  configuration: SyncConfiguration,
  { deadlineMs }: ArgsOf<"postgres.demote">,
): Promise<Data> {
  const { instance } = context;
  try {
    if (!(await quiesce(instance, deadlineMs)))
      throw new Failure("sessions-stay", `sessions were still there ${deadlineMs} ms after they were told to end`);
    const lsn = await writeMark(instance, deadlineMs);
    const stillHolds = () => context.stillHolds();
    await waitUntilFlushed(instance, configuration, { lsn, deadlineMs, levelWithinMs, stillHolds });
    return { lsn, stopped: false };
  } catch (error) {
    // Somebody else may be the primary by then.
    if (context.stillHolds()) await admitWrites(instance);
    throw error;
  }
}

/** Position of a write that was forced to disk with everything before it. */
async function writeMark(instance: PostgresInstance, deadlineMs: number): Promise<Lsn> {
  const connection = await instance.control();
  await connection.query("BEGIN READ WRITE", [], deadlineMs);
  try {
    await connection.query(heartbeatRow, [`${instance.service.node}:hand-over`], deadlineMs);
    await connection.query("COMMIT", [], deadlineMs);
  } catch (error) {
    // The connection is used again: it must not be left in a transaction that has failed.
    await connection.query("ROLLBACK", [], deadlineMs).catch(() => undefined);
    throw error;
  }
  const [row] = await connection.query("SELECT pg_current_wal_flush_lsn() AS lsn", [], deadlineMs);
  const lsn = asLsn(row?.lsn);
  if (lsn === null) throw new Failure("position-unknown", "this primary did not say where its WAL ends");
  return lsn;
}

/** A running primary that was quiesced takes writes again. */
export async function admitWrites(instance: PostgresInstance): Promise<void> {
  await makeWritable(instance);
  await instance.data.setStandbySignal(false);
  if (instance.running) instance.monitor.start();
}

/** The agent ended in the middle of a switchover: its primary becomes the standby of nobody that any other start would have made of it. */
export async function endHandOver(instance: PostgresInstance): Promise<void> {
  const { standing } = instance.host.fence();
  if (standing.kind !== "demoted" || !(await instance.data.hasStandbySignal())) return;
  if (await instance.attach()) await instance.stopFenced();
}

/** A fast shutdown, which ends sessions and serves standbys to the last byte. The checkpoint before it keeps it short. */
async function shutDown(context: VerbContext, deadlineMs: number): Promise<Data> {
  const { instance } = context;
  const isShut = async () => (await instance.data.shutdownPosition()) !== null;
  const shutdown = instance.supervisor.shutDown(deadlineMs, isShut);
  // Whatever starts it again finds a standby of nobody. The server itself reads no settings any more.
  const [down] = await Promise.all([shutdown, instance.data.writeSettings(fencedSettings)]);
  if (!down) {
    await returnAsPrimary(context);
    throw new Failure("shutdown-overdue", `PostgreSQL was not down after ${deadlineMs} ms; it runs as primary again`);
  }
  const { lsn = null } = (await instance.data.shutdownPosition()) ?? {};
  return { lsn, stopped: true };
}

/** After a demote that nothing followed: the primary of the held grant comes back. */
export async function returnAsPrimary(context: VerbContext): Promise<void> {
  const { instance } = context;
  const { standing } = instance.host.fence();
  if (!context.stillHolds() || standing.kind !== "demoted" || standing.configuration === null) return;
  const { configuration } = standing;
  // An asynchronous one only while it has its lease: afterwards somebody else may have been promoted.
  if (!instance.lease.mayBegin(configuration)) return;
  await instance.whileRestarting(async () => {
    await instance.supervisor.stop("immediate", 1_000);
    // Its members have their slots since before the demote.
    await startAsPrimary(instance, { configuration, peers: [], stillHolds: () => context.stillHolds() });
  });
}
