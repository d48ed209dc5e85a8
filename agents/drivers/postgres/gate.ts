import type { SyncConfiguration } from "../../../server/core/index.ts";
import { waitUntilFlushed } from "./flushed.ts";
import { closeRules } from "./gate-rules.ts";
import type { PostgresInstance } from "./instance.ts";
import { asLsn } from "./status-query.ts";

/**
 * After a crash, commits that were still waiting for a standby are visible. If such a primary were lost again they could be gone, so users are
 * let in only when enough members have flushed the end of recovery. Until then `pg_hba.conf` admits nobody but Holdfast.
 */

export const openRules = "pg_hba.holdfast-open";
const closedNote = `# Holdfast lets users in when enough members hold what this server recovered. Your rules wait in ${openRules}.\n`;
const barrierDeadlineMs = 30_000;

/**
 * Closes the gate. False when there is none: the access rules are not in the data directory, or none in the file itself lets Holdfast in.
 */
async function closeGate(instance: PostgresInstance): Promise<boolean> {
  // Closed already by a start that did not come to its end: the operator's rules are the ones put away.
  const rules = (await instance.data.read(openRules)) ?? (await instance.data.read("pg_hba.conf"));
  if (rules === null) return false;
  const closed = closeRules(rules, instance.service.user);
  if (closed === null) {
    instance.host.log("warn", "users are let in at once: no rule in pg_hba.conf itself names the Holdfast user", {
      user: instance.service.user,
    });
    return false;
  }
  await instance.data.write(openRules, rules);
  await instance.data.write("pg_hba.conf", `${closedNote}${closed}`);
  return true;
}

/** Whether the gate was left closed: the agent ended in between. */
export async function isGateClosed(instance: PostgresInstance): Promise<boolean> {
  return (await instance.data.read(openRules)) !== null;
}

export async function openGate(instance: PostgresInstance): Promise<void> {
  if (await instance.data.moveAside(openRules, "pg_hba.conf")) await instance.supervisor.reload();
}

export interface PrimaryStart {
  readonly configuration: SyncConfiguration;
  /** Members that need a slot before they can stream; those that have one keep it. */
  readonly peers: readonly string[];
  /** False as soon as something higher was promised. */
  stillHolds(): boolean;
}

/**
 * The one way in which a member that was a primary starts as one again, for whatever reason: users wait behind the gate until k members hold
 * what it recovered. When the wait is given up the gate stays closed, and the keeper goes on waiting.
 */
export async function startAsPrimary(instance: PostgresInstance, start: PrimaryStart): Promise<void> {
  const { configuration } = start;
  const gated = configuration.k > 0 && (await closeGate(instance));
  await instance.startPrimary(configuration);
  await instance.ensureSlots(start.peers);
  if (gated) await letInWhenFlushed(instance, configuration, () => start.stillHolds());
}

/** Waits until k members of the configuration have flushed what this primary starts from, then opens the gate. */
export async function letInWhenFlushed(
  instance: PostgresInstance,
  configuration: SyncConfiguration,
  stillHolds: () => boolean,
): Promise<void> {
  const connection = await instance.control();
  const [start] = await connection.query("SELECT pg_current_wal_insert_lsn() AS lsn", [], 2_000);
  await waitUntilFlushed(instance, configuration, {
    lsn: asLsn(start?.lsn),
    deadlineMs: barrierDeadlineMs,
    stillHolds,
  });
  await openGate(instance);
}
