import { monotonicMs } from "../../../shared/time.ts";
import { startAsPrimary } from "../gate.ts";
import { createCluster, prepareDatabase } from "../initialize.ts";
import type { PostgresInstance } from "../instance.ts";
import { othersOf } from "../names.ts";
import { aloneSettings, fencedSettings, primarySettings } from "../settings.ts";
import { asLsn } from "../status-query.ts";
import { type ArgsOf, assertDatabase, type Data, Refusal, type VerbContext } from "./context.ts";
import { admitWrites } from "./demote.ts";

/** Makes a new cluster of this empty member and starts it as the first primary. */
export async function initialize({ instance }: VerbContext, args: ArgsOf<"postgres.initialize">): Promise<Data> {
  const startedAt = monotonicMs();
  await instance.refreshEmpty();
  if (!instance.empty) throw new Refusal("not-empty", `${instance.service.dataDir} holds a database already`);
  if (!instance.service.initialize) {
    throw new Refusal(
      "not-allowed",
      "this agent's configuration does not allow it to make a new cluster (initialize: true)",
    );
  }
  await createCluster(instance);
  await instance.startPrimary(args.configuration);
  await prepareDatabase(instance, { fresh: true });
  await instance.ensureSlots(othersOf(args.peers, instance.service.node));
  return { ...(await place(instance)), ms: Math.round(monotonicMs() - startedAt) };
}

/** Takes over a primary as it runs. Settings that need a restart are written and come into force with the next one. */
export async function adopt({ instance }: VerbContext, args: ArgsOf<"postgres.adopt">): Promise<Data> {
  assertDatabase(instance);
  if (!instance.running) throw new Refusal("stopped", "PostgreSQL does not run on this member");
  if (await instance.inRecovery())
    throw new Refusal("is-standby", "this member is a standby; only a primary can be adopted");
  await prepareDatabase(instance, { fresh: false });
  await instance.ensureSlots(othersOf(args.peers, instance.service.node));
  const connection = await instance.control();
  const [now] = await connection.query("SELECT current_setting('synchronous_standby_names') AS names", [], 2_000);
  const { synchronous_standby_names: names, ...others } = primarySettings(args.configuration);
  // Names set by hand stay until the first recorded set replaces them: an adopted cluster is never less safe than it was.
  if (args.configuration.k === 0 && String(now?.names ?? "") !== "") {
    await instance.applyOwned(others);
    return place(instance);
  }
  await instance.applyOwned({ ...others, synchronous_standby_names: names ?? "" });
  await instance.waitForSetting("synchronous_standby_names", names ?? "", 2_000);
  return place(instance);
}

/** Runs as primary again under a new grant: a seal that did not lead to a promotion, or a demote that was undone. */
export async function regrant(context: VerbContext, args: ArgsOf<"postgres.regrant">): Promise<Data> {
  const { instance } = context;
  const startedAt = monotonicMs();
  const peers = othersOf(args.peers, instance.service.node);
  assertDatabase(instance);
  if (instance.running && (await instance.inRecovery())) await instance.stop(10_000);
  if (instance.running) {
    const settings = primarySettings(args.configuration);
    await instance.lease.waitToBegin(args.configuration);
    await instance.applySettings(settings);
    await instance.waitForSetting("synchronous_standby_names", settings.synchronous_standby_names ?? "", 2_000);
    // After a demote that only kept writers out.
    if (await instance.data.hasStandbySignal()) await admitWrites(instance);
    await instance.ensureSlots(peers);
  } else {
    const { configuration } = args;
    await startAsPrimary(instance, { configuration, peers, stillHolds: () => context.stillHolds() });
  }
  return { ...(await place(instance)), ms: Math.round(monotonicMs() - startedAt) };
}

/** Starts again after a crash of PostgreSQL alone, under the grant that is held. */
export async function restart(context: VerbContext, args: ArgsOf<"postgres.restart">): Promise<Data> {
  const { instance } = context;
  const startedAt = monotonicMs();
  assertDatabase(instance);
  if (args.as === "standby") {
    if (instance.running) await instance.stop(5_000);
    await instance.startStandby(aloneSettings(instance.service, instance.host.fence()));
    return { ms: Math.round(monotonicMs() - startedAt) };
  }
  if (instance.running && !(await instance.inRecovery())) return { ...(await place(instance)), ms: 0 };
  if (instance.running) await instance.stop(5_000);
  const { configuration } = args;
  const peers = othersOf(args.peers, instance.service.node);
  await startAsPrimary(instance, { configuration, peers, stillHolds: () => context.stillHolds() });
  return { ...(await place(instance)), ms: Math.round(monotonicMs() - startedAt) };
}

/** Stops PostgreSQL and keeps it from coming back as a primary. */
export async function fence({ instance }: VerbContext): Promise<Data> {
  const startedAt = monotonicMs();
  if (instance.empty || instance.rejoining) return { stopped: true, ms: 0 };
  const lsn = await primaryLsn(instance);
  await instance.stopFenced();
  const ms = Math.round(monotonicMs() - startedAt);
  // As a standby of nobody it can say where its WAL ends, which decides how it comes back.
  await instance.startStandby(fencedSettings, { wait: false });
  return { stopped: true, lsn, ms };
}

/** Where a primary's WAL ends, asked just before it is stopped; the last status where it does not answer. Null: unknown. */
async function primaryLsn(instance: PostgresInstance): Promise<number | null> {
  const { status } = instance.monitor;
  if (!instance.running || status?.recovery !== false) return null;
  const asked = instance
    .control(300)
    .then((connection) => connection.query("SELECT pg_current_wal_flush_lsn() AS lsn", [], 300))
    .then(([row]) => asLsn(row?.lsn));
  return (await asked.catch(() => null)) ?? status.flushLsn;
}

async function place(instance: PostgresInstance): Promise<Data> {
  const connection = await instance.control();
  const [row] = await connection.query(
    "SELECT pg_walfile_name(pg_current_wal_lsn()) AS file, (SELECT system_identifier::text FROM pg_control_system()) AS system_id",
    [],
    2_000,
  );
  instance.monitor.wake();
  const timeline = Number.parseInt(String(row?.file).slice(0, 8), 16);
  const began = await instance.data.timelineSwitch(timeline);
  return { timeline, switchLsn: began?.lsn ?? null, systemId: String(row?.system_id) };
}
