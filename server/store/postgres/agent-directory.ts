import type { Pool } from "pg";
import type { AgentDirectory } from "../../ports/store.ts";
import { toSafeJson } from "../shared/safe-json.ts";
import { generateServerKey, type ServerKey } from "../shared/server-key.ts";
import { type Connections, runStatement, type Statement } from "./connections.ts";
import { openSecret, type SecretKey, sealSecret } from "./secret-key.ts";

const statements = {
  createToken: {
    name: "create-enrolment-token",
    text: "INSERT INTO enrolment_tokens (hash, labels, node, expires_at, created_by) VALUES ($1, $2, $3, $4, $5)",
  },
  consumeToken: {
    name: "consume-enrolment-token",
    text: `UPDATE enrolment_tokens SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at > $2
      RETURNING labels, node`,
  },
  findToken: { name: "find-enrolment-token", text: "SELECT used_at FROM enrolment_tokens WHERE hash = $1" },
  findServerKey: {
    name: "find-server-key",
    text: "SELECT public_key, master_key_id, sealed_private_key FROM server_key",
  },
  putServerKey: {
    name: "put-server-key",
    text: `INSERT INTO server_key (public_key, master_key_id, sealed_private_key) VALUES ($1, $2, $3)
      ON CONFLICT (id) DO NOTHING`,
  },
  // Never below the clock: agents refuse a counter that goes back, and a restored backup knows only old ones.
  reserveCounters: {
    name: "reserve-counters",
    text: `INSERT INTO command_counters AS known (agent_key, reserved)
        VALUES ($1, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint + $2)
      ON CONFLICT (agent_key) DO UPDATE SET reserved = greatest(known.reserved + $2, excluded.reserved) RETURNING reserved`,
  },
} as const satisfies Record<string, Statement>;

export function createPostgresAgentDirectory(connections: Connections, secretKey: SecretKey): AgentDirectory {
  const { ingest } = connections;
  let serverKey: Promise<ServerKey> | null = null;
  return {
    async createEnrolmentToken({ hash, labels, node, expiresAt, createdBy }) {
      await runStatement(ingest, statements.createToken, [hash, toSafeJson(labels), node, expiresAt, createdBy]);
    },
    consumeEnrolmentToken: (hash, now) => consumeToken(ingest, hash, now),
    serverKey() {
      serverKey ??= loadServerKey(ingest, secretKey).catch((error: unknown) => {
        serverKey = null;
        throw error;
      });
      return serverKey;
    },
    nextCounter: createCounterSource(ingest),
  };
}

async function consumeToken(pool: Pool, hash: string, now: number) {
  type Row = { labels: Record<string, string>; node: string | null };
  const [won] = await runStatement<Row>(pool, statements.consumeToken, [hash, now]);
  if (won !== undefined) return { ok: true, labels: won.labels, node: won.node } as const;
  const [known] = await runStatement<{ used_at: number | null }>(pool, statements.findToken, [hash]);
  if (known === undefined) return { ok: false, code: "token-unknown" } as const;
  return { ok: false, code: known.used_at === null ? "token-expired" : "token-used" } as const;
}

const keyPurpose = "holdfast/server-key/1";

interface ServerKeyRow {
  readonly public_key: string;
  readonly master_key_id: string;
  readonly sealed_private_key: string;
}

/** Made once: of two first starts at the same time one key stays, and both read that one. */
async function loadServerKey(pool: Pool, secretKey: SecretKey): Promise<ServerKey> {
  let [row] = await runStatement<ServerKeyRow>(pool, statements.findServerKey, []);
  if (row === undefined) {
    const made = generateServerKey();
    const sealed = sealSecret(secretKey, keyPurpose, made.privateKey);
    await runStatement(pool, statements.putServerKey, [made.publicKey, secretKey.id, sealed]);
    [row] = await runStatement<ServerKeyRow>(pool, statements.findServerKey, []);
  }
  if (row === undefined) throw new Error("The server key could not be stored.");
  if (row.master_key_id !== secretKey.id) {
    throw new Error(
      `The server's signing key was encrypted under master key ${row.master_key_id}, and the present one is ${secretKey.id}. ` +
        "Put the former key file or HOLDFAST_SECRET_KEY back: every agent pins the signing key.",
    );
  }
  return { publicKey: row.public_key, privateKey: openSecret(secretKey, keyPurpose, row.sealed_private_key) };
}

/** Numbers reserved at a time: a command must not wait for a commit of its own. The rest of a block is lost at a restart. */
const counterBlock = 100;

function createCounterSource(pool: Pool): AgentDirectory["nextCounter"] {
  const blocks = new Map<string, { next: number; last: number }>();
  const reserving = new Map<string, Promise<void>>();
  const reserve = async (agentKey: string) => {
    const [row] = await runStatement<{ reserved: string }>(pool, statements.reserveCounters, [agentKey, counterBlock]);
    const last = Number(row?.reserved);
    blocks.set(agentKey, { next: last - counterBlock + 1, last });
  };
  return async (agentKey) => {
    for (;;) {
      const block = blocks.get(agentKey);
      if (block !== undefined && block.next <= block.last) {
        block.next += 1;
        return block.next - 1;
      }
      const running = reserving.get(agentKey) ?? reserve(agentKey).finally(() => reserving.delete(agentKey));
      reserving.set(agentKey, running);
      await running;
    }
  };
}
