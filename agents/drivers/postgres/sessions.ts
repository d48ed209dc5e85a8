import { poll } from "../../shared/time.ts";
import type { PostgresInstance } from "./instance.ts";
import type { SqlConnection } from "./sql.ts";

/** Everything that could write for somebody. Holdfast's own connections, WAL senders and the server's own processes stay. */
const others = `pid <> pg_backend_pid()
  AND backend_type IN ('client backend', 'autovacuum worker', 'logical replication worker', 'logical replication apply worker')
  AND (usename = current_user AND application_name LIKE 'holdfast %') IS NOT TRUE`;

/**
 * Ends the sessions of everybody else. Ended, never cancelled: a commit that waits for standbys and is cancelled is reported as a success.
 * Source: PostgreSQL manual, "synchronous_commit" and `SyncRepWaitForLSN`.
 */
export async function endSessions(connection: SqlConnection, deadlineMs: number): Promise<void> {
  await connection.query(
    `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE ${others}`,
    [],
    deadlineMs,
  );
}

/** New sessions, and those that stay, can only read unless they insist. Resolves when the settings are written. */
export async function makeReadOnly(instance: PostgresInstance): Promise<void> {
  await instance.applySettings({ default_transaction_read_only: "on" });
}

/** What the operator had set holds again. */
export async function makeWritable(instance: PostgresInstance): Promise<void> {
  const { settings } = instance.service;
  await instance.applySettings({ default_transaction_read_only: settings.default_transaction_read_only ?? null });
}

/**
 * Read-only, and every session that began before that is gone: from here nobody writes but who insists. Clients may connect and read.
 * False when some were still there after `deadlineMs`.
 */
export async function quiesce(instance: PostgresInstance, deadlineMs: number): Promise<boolean> {
  await makeReadOnly(instance);
  await instance.waitForSetting("default_transaction_read_only", "on", deadlineMs);
  const connection = await instance.control();
  // The postmaster reads its settings before it tells the others: whoever is forked from here on has the new default.
  const [since] = await connection.query("SELECT clock_timestamp()::text AS at", [], deadlineMs);
  const gone = await poll(
    async () => {
      const [row] = await connection.query(
        `SELECT count(pg_terminate_backend(pid)) AS left FROM pg_stat_activity WHERE ${others} AND backend_start <= $1::timestamptz`,
        [since?.at],
        2_000,
      );
      return Number(row?.left) === 0 ? true : null;
    },
    { intervalMs: 4, deadlineMs },
  );
  return gone !== null;
}
