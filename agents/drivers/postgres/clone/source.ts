import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Endpoint } from "../../../../server/core/index.ts";
import { messageOf } from "../../../shared/time.ts";
import { quoteConnInfo } from "../conf-text.ts";
import type { PostgresInstance } from "../instance.ts";
import { type SqlConnection, type SqlTarget, withConnection } from "../sql.ts";
import { asText } from "../status-query.ts";
import { Failure } from "../verbs/context.ts";

export interface CloneOptions {
  readonly instance: PostgresInstance;
  readonly primary: Endpoint;
  readonly signal: AbortSignal;
  readonly progress: (done: number, bytes: number, totalBytes: number) => void;
}

/** The primary that is cloned, reached with the member's own credentials. */
export function sourceTarget({ instance, primary }: CloneOptions): SqlTarget {
  return { ...instance.target("holdfast clone"), host: primary.host, port: primary.port };
}

/**
 * For PostgreSQL's own programs. A server that gave the connection up during a cut can't say so, and whoever only waits for its next byte waits for
 * ever: so the kernel is to ask.
 */
export function sourceConnInfo({ service }: PostgresInstance, primary: Endpoint): string {
  const parts: readonly (readonly [string, string])[] = [
    ["host", primary.host],
    ["port", String(primary.port)],
    ["user", service.user],
    ["connect_timeout", "5"],
    ["keepalives_idle", "2"],
    ["keepalives_interval", "1"],
    ["keepalives_count", "5"],
    ["tcp_user_timeout", "10000"],
  ];
  return parts.map(([name, value]) => `${name}=${quoteConnInfo(value)}`).join(" ");
}

/**
 * Connects to the primary as a standby of it does. A primary that does not let us in must be known before anything here is stopped or overwritten.
 * Answers with its system identifier.
 * @throws Failure `replication-refused`, with what PostgreSQL said and what to do about it.
 */
export async function assertReplicates(instance: PostgresInstance, primary: Endpoint): Promise<string | null> {
  const { host, port } = primary;
  const target = { ...instance.target("holdfast replication check"), host, port, replication: true };
  try {
    const [row] = await withConnection(target, 5_000, (connection) => connection.query("IDENTIFY_SYSTEM", [], 5_000));
    return asText(row?.systemid);
  } catch (error) {
    throw new Failure(
      "replication-refused",
      `${primary.node} does not let this member replicate: ${messageOf(error)}. Its pg_hba.conf needs a line for replication by ${target.user} from here, with the same password`,
    );
  }
}

/** A slot that keeps WAL from now on, so that what is written while the clone runs is still there when it streams. */
export async function ensureReservedSlot(connection: SqlConnection, slot: string): Promise<void> {
  await connection.query(
    "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1 AND NOT active",
    [slot],
    5_000,
  );
  await connection.query(
    "SELECT pg_create_physical_replication_slot($1, true) WHERE NOT EXISTS (SELECT 1 FROM pg_replication_slots WHERE slot_name = $1)",
    [slot],
    5_000,
  );
}

/** Bytes of the files below a directory; files that vanish meanwhile do not count. */
export async function measureDirectory(path: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) bytes += await measureDirectory(child);
    else
      bytes += await stat(child)
        .then((file) => file.size)
        .catch(() => 0);
  }
  return bytes;
}
