import { join } from "node:path";
import type { Endpoint, RejoinReply } from "../../../../server/core/index.ts";
import type { Lsn } from "../../../../server/core/replication/lsn.ts";
import { exists } from "../../../shared/durable-file.ts";
import { monotonicMs, poll } from "../../../shared/time.ts";
import { cloneByBaseBackup } from "../clone/base-backup.ts";
import { cloneOverSql } from "../clone/over-sql.ts";
import { dropKeptFiles, keepOwnFiles, restoreOwnFiles } from "../clone/own-files.ts";
import { rewindFrom } from "../clone/rewind.ts";
import { setDivergentWalAside } from "../clone/set-aside.ts";
import { assertReplicates } from "../clone/source.ts";
import { openGate } from "../gate.ts";
import type { PostgresInstance } from "../instance.ts";
import { type Settings, standbySettings } from "../settings.ts";
import { withConnection } from "../sql.ts";
import { asLsn, asNumber } from "../status-query.ts";
import { type ArgsOf, assertHolds, type Data, Failure, Refusal, type VerbContext } from "./context.ts";
import { assertOverwritable, lookAtData } from "./rejoin-guard.ts";

type RejoinArgs = ArgsOf<"postgres.rejoin">;

const streamingDeadlineMs = 120_000;
const rewoundStreamDeadlineMs = 20_000;
const checkpointDeadlineMs = 600_000;

/**
 * Brings this member back as a standby of the grant's primary: rewound where that is possible and asked for, cloned otherwise. WAL that only
 * this member has is set aside and reported before anything is overwritten. Interrupted, it leaves
 * a directory that counts as empty, and is cloned.
 */
export async function rejoin(context: VerbContext, args: RejoinArgs): Promise<Data> {
  const { instance } = context;
  if (args.primary.node === instance.service.node) throw new Refusal("self", "a member cannot rejoin itself");
  if (instance.rejoining) throw new Refusal("rejoining", "a rejoin is under way on this member");
  const startedAt = monotonicMs();
  instance.setRejoining(true);
  try {
    const systemId = await assertReplicates(instance, args.primary);
    assertOverwritable(await lookAtData(instance), { node: args.primary.node, systemId });
    const aside = await setDivergentWalAside(instance, args.primary);
    context.progress(0, { divergentBytes: aside.bytes, setAside: aside.path });
    assertHolds(context);
    await instance.refreshEmpty();
    const settings = standbySettings(instance.service, args.primary, context.grant.epoch);
    const source = await settlePrimary(instance, args.primary);
    await keepOwnFiles(instance);
    const rewound = args.mode === "rewind" && !instance.empty && (await tryRewind(context, args, settings, source));
    let bytes = 0;
    if (!rewound) {
      bytes = await clone(context, args);
      await startAsStandby(context, settings);
      await waitForStream(context, source, streamingDeadlineMs);
    }
    await dropKeptFiles(instance);
    const reply: RejoinReply = {
      mode: rewound ? "rewind" : "clone",
      bytes,
      divergentBytes: aside.bytes,
      setAside: aside.path,
      ms: Math.round(monotonicMs() - startedAt),
    };
    return { ...reply };
  } finally {
    await instance.refreshEmpty();
    instance.setRejoining(false);
  }
}

/** Timeline and position of the primary that everything has to reach. */
interface SourcePlace {
  readonly timeline: number;
  readonly lsn: Lsn;
}

/**
 * A checkpoint first: until a promoted primary has made one, its control file names the old timeline, and `pg_rewind` takes two histories for
 * one ("no rewind required").
 */
async function settlePrimary(instance: PostgresInstance, primary: Endpoint): Promise<SourcePlace> {
  const target = { ...instance.target("holdfast rejoin"), host: primary.host, port: primary.port };
  return withConnection(target, 5_000, async (connection) => {
    await connection.query("CHECKPOINT", [], checkpointDeadlineMs);
    const [row] = await connection.query(
      "SELECT pg_walfile_name(pg_current_wal_lsn()) AS file, pg_current_wal_flush_lsn() AS lsn, (SELECT timeline_id FROM pg_control_checkpoint()) AS control",
      [],
      5_000,
    );
    const timeline = Number.parseInt(String(row?.file).slice(0, 8), 16);
    const lsn = asLsn(row?.lsn);
    if (lsn === null || asNumber(row?.control) !== timeline) {
      throw new Failure("source-unsettled", `${primary.node} has made no checkpoint on its timeline ${timeline} yet`);
    }
    return { timeline, lsn };
  });
}

/** False when it could not be rewound, or was and does not stream: then it is cloned. */
async function tryRewind(
  context: VerbContext,
  args: RejoinArgs,
  settings: Settings,
  source: SourcePlace,
): Promise<boolean> {
  const { instance } = context;
  if (!(await exists(join(instance.service.binDir, "pg_rewind")))) return false;
  if (instance.running) await instance.stop(30_000);
  const result = await rewindFrom(instance, args.primary, context.signal);
  try {
    if (!result.ok) throw new Failure("rewind", result.detail);
    await startAsStandby(context, settings);
    await waitForStream(context, source, rewoundStreamDeadlineMs);
    return true;
  } catch (error) {
    assertHolds(context);
    instance.host.log("warn", "the rewind did not do; cloning instead", { error: String(error) });
    return false;
  }
}

async function startAsStandby(context: VerbContext, settings: Settings): Promise<void> {
  const { instance } = context;
  assertHolds(context);
  // What this member streamed before belongs to another history now.
  instance.host.rememberTimeline(null);
  // What came along is the source's: its names, its settings, its access rules, and no signal file.
  await openGate(instance);
  await restoreOwnFiles(instance);
  await instance.startStandby(settings);
  await instance.dropReservedSlots();
}

async function clone(context: VerbContext, args: RejoinArgs): Promise<number> {
  const { instance } = context;
  if (instance.running) await instance.stopFenced();
  assertHolds(context);
  const options = {
    instance,
    primary: args.primary,
    signal: context.signal,
    progress: (done: number, bytes: number, total: number) => context.progress(done, { bytes, totalBytes: total }),
  };
  return (await exists(join(instance.service.binDir, "pg_basebackup")))
    ? cloneByBaseBackup(options)
    : cloneOverSql(options);
}

/** The member is back when it streams the primary's own timeline: on an older one it would be turned away again and again. */
async function waitForStream(context: VerbContext, source: SourcePlace, deadlineMs: number): Promise<void> {
  const { instance } = context;
  const streaming = await poll(
    async () => {
      assertHolds(context);
      if (!instance.running)
        throw new Failure("ended", `PostgreSQL ended after the rejoin: ${await instance.supervisor.logTail()}`);
      const connection = await instance.control();
      const [row] = await connection.query(
        "SELECT status, received_tli, pg_last_wal_receive_lsn() AS receive FROM pg_stat_wal_receiver",
        [],
        2_000,
      );
      const arrived = row?.status === "streaming" && asNumber(row.received_tli) === source.timeline;
      return arrived && (asLsn(row.receive) ?? 0) >= source.lsn ? true : null;
    },
    { intervalMs: 25, deadlineMs },
  );
  if (streaming === null) {
    throw new Failure(
      "not-streaming",
      `no stream of timeline ${source.timeline} within ${deadlineMs} ms after the rejoin: ${await instance.supervisor.logTail()}`,
    );
  }
  instance.monitor.wake();
}
