import { join } from "node:path";
import type { RejoinReply } from "../../../../server/core/index.ts";
import { exists } from "../../../shared/durable-file.ts";
import { monotonicMs, poll } from "../../../shared/time.ts";
import { cloneByBaseBackup } from "../clone/base-backup.ts";
import { cloneOverSql } from "../clone/over-sql.ts";
import { rewindFrom } from "../clone/rewind.ts";
import { setDivergentWalAside } from "../clone/set-aside.ts";
import { assertReplicates } from "../clone/source.ts";
import { openGate } from "../gate.ts";
import { fencedSettings, standbySettings } from "../settings.ts";
import { type ArgsOf, assertHolds, type Data, Failure, Refusal, type VerbContext } from "./context.ts";

type RejoinArgs = ArgsOf<"postgres.rejoin">;

const streamingDeadlineMs = 120_000;

/**
 * Brings this member back as a standby of the grant's primary: rewound where that is possible and asked for, cloned otherwise. WAL that only
 * this member has is set aside and reported before anything is overwritten. Interrupted, it is simply done again.
 */
export async function rejoin(context: VerbContext, args: RejoinArgs): Promise<Data> {
  const { instance } = context;
  if (args.primary.node === instance.service.node) throw new Refusal("self", "a member cannot rejoin itself");
  if (instance.rejoining) throw new Refusal("rejoining", "a rejoin is under way on this member");
  const startedAt = monotonicMs();
  instance.setRejoining(true);
  try {
    await assertReplicates(instance, args.primary);
    const aside = await setDivergentWalAside(instance, args.primary);
    context.progress(0, { divergentBytes: aside.bytes, setAside: aside.path });
    assertHolds(context);
    await instance.refreshEmpty();
    const settings = standbySettings(instance.service, args.primary, context.grant.epoch);
    const rewound = args.mode === "rewind" && !instance.empty && (await tryRewind(context, args));
    const bytes = rewound ? 0 : await clone(context, args);
    assertHolds(context);
    // What came along is the source's: its names, its settings, and no signal file.
    await openGate(instance);
    await instance.data.setStandbySignal(true);
    await instance.startStandby(settings);
    await instance.dropReservedSlots();
    await waitForStream(context);
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

async function tryRewind(context: VerbContext, args: RejoinArgs): Promise<boolean> {
  const { instance } = context;
  if (!(await exists(join(instance.service.binDir, "pg_rewind")))) return false;
  if (instance.running) await instance.stop(30_000);
  const result = await rewindFrom(instance, args.primary, context.signal);
  if (!result.ok) instance.host.log("warn", "pg_rewind failed; cloning instead", { output: result.detail });
  // It copies the source's settings and leaves no signal file: both are put right before any start.
  await instance.data.setStandbySignal(true);
  await instance.data.writeSettings(fencedSettings);
  return result.ok;
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

/** The member is back when it streams. */
async function waitForStream(context: VerbContext): Promise<void> {
  const { instance } = context;
  const streaming = await poll(
    async () => {
      assertHolds(context);
      if (!instance.running)
        throw new Failure("ended", `PostgreSQL ended after the rejoin: ${await instance.supervisor.logTail()}`);
      const connection = await instance.control();
      const [row] = await connection.query("SELECT status FROM pg_stat_wal_receiver", [], 2_000);
      return row?.status === "streaming" ? true : null;
    },
    { intervalMs: 25, deadlineMs: streamingDeadlineMs },
  );
  if (streaming === null) {
    throw new Failure(
      "not-streaming",
      `no stream within ${streamingDeadlineMs} ms after the rejoin: ${await instance.supervisor.logTail()}`,
    );
  }
  instance.monitor.wake();
}
