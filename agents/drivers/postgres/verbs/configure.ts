import { monotonicMs, poll } from "../../../shared/time.ts";
import { applicationName, othersOf, standbyNames } from "../names.ts";
import type { SqlConnection } from "../sql.ts";
import { asLsn, asNumber } from "../status-query.ts";
import { type ArgsOf, assertDatabase, type Data, Failure, Refusal, type VerbContext } from "./context.ts";

/**
 * Changes the names in force on the primary. Walsenders of leaving members are ended, all of them when k grows: one that still works by the
 * old names could release a commit that the new ones would hold. The flush position is read after that.
 */
export async function configure({ instance, grant }: VerbContext, args: ArgsOf<"postgres.configure">): Promise<Data> {
  const startedAt = monotonicMs();
  assertDatabase(instance);
  if (!instance.running) throw new Refusal("stopped", "PostgreSQL does not run on this member");
  if (await instance.inRecovery())
    throw new Refusal("is-standby", "this member is a standby; only a primary has names in force");
  // Nothing is acknowledged alone before there is a lease.
  await instance.lease.waitToBegin(args.configuration);
  const connection = await instance.control();
  const [before] = await connection.query("SELECT current_setting('synchronous_standby_names') AS names", [], 2_000);
  await instance.ensureSlots(othersOf(args.peers, instance.service.node));
  const names = standbyNames(args.configuration);
  await instance.applySettings({ synchronous_standby_names: names });
  await instance.waitForSetting("synchronous_standby_names", names, 2_000);
  const grows = args.configuration.k > quorumOf(String(before?.names ?? ""));
  const leaving = args.leaving.map((node) => `^${applicationName(grant.epoch, node)}$`);
  // Names that were set by hand may count anybody.
  const byHand = before?.names !== "" && !/e\d+_/.test(String(before?.names));
  await endSenders(connection, byHand ? [""] : grows ? ["^e[0-9]+_"] : leaving);
  const [row] = await connection.query("SELECT pg_current_wal_flush_lsn() AS lsn", [], 2_000);
  instance.monitor.wake();
  return { flushLsn: asLsn(row?.lsn), ms: Math.round(monotonicMs() - startedAt) };
}

/** How many standbys these names wait for; 0 when there are none. */
function quorumOf(names: string): number {
  if (names.trim() === "") return 0;
  return Number(/(?:ANY|FIRST)\s+(\d+)/i.exec(names)?.[1] ?? 1);
}

/** Ends walsenders whose names match one of these patterns, and waits until those processes are gone. */
async function endSenders(connection: SqlConnection, patterns: readonly string[]): Promise<void> {
  if (patterns.length === 0) return;
  const rows = await connection.query(
    "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_replication WHERE application_name ~ ANY ($1::text[])",
    [patterns],
    2_000,
  );
  const pids = rows.map((row) => asNumber(row.pid)).filter((pid) => pid !== null);
  if (pids.length === 0) return;
  const gone = await poll(
    async () => {
      const [row] = await connection.query(
        "SELECT count(*)::int AS left FROM pg_stat_activity WHERE pid = ANY ($1::int[])",
        [pids],
        2_000,
      );
      return asNumber(row?.left) === 0 ? true : null;
    },
    { intervalMs: 5, deadlineMs: 10_000 },
  );
  if (gone === null) throw new Failure("senders-stay", "walsenders of leaving members did not end within 10 s");
}
