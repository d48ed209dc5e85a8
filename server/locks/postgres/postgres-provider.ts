import { Pool, type QueryResultRow } from "pg";
import { type LockProvider, LockProviderDown, type LockRecord, type TokenLedger } from "../../ports/locks.ts";

const timeoutMs = 2_000;
const sweepMs = 30_000;

export interface PostgresLocks {
  readonly provider: LockProvider;
  readonly ledger: TokenLedger;
}

/**
 * Leases as rows with the database's own time. Not advisory locks: those hang on a connection, and a holder at the other end of an API has
 * none; they also have neither an end nor a number.
 */
export function openPostgresLocks(url: string, name = "postgres"): PostgresLocks {
  const pool = new Pool({
    connectionString: url,
    application_name: "holdfast-locks",
    max: 4,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    idleTimeoutMillis: 0,
    keepAlive: true,
    options: `-c synchronous_commit=on -c statement_timeout=${timeoutMs - 200}`,
  });
  pool.on("error", () => {});
  const run = async <Row extends QueryResultRow>(text: string, values: readonly unknown[]): Promise<Row[]> => {
    try {
      return (await pool.query<Row>({ name: nameOf(text), text, values: [...values] })).rows;
    } catch (error) {
      throw new LockProviderDown(name, error instanceof Error ? error.message : String(error), error);
    }
  };
  const listeners: ((name: string | null) => void)[] = [];
  const sweep = setInterval(() => void run(sql.sweep, []).catch(() => {}), sweepMs);
  sweep.unref();
  const freed = (lock: string, rows: readonly unknown[]): boolean => {
    if (rows.length > 0) for (const listener of listeners) listener(lock);
    return rows.length > 0;
  };
  const provider: LockProvider = {
    name,
    kind: "postgres",
    promises: ["fair", "survives-restart"],
    async attempt({ name: lock, owner, holder, ttlMs, placeMs }) {
      const [row] = await run<AttemptRow>(sql.attempt, [lock, owner, holder, ttlMs, placeMs]);
      if (row === undefined) throw new LockProviderDown(name, "it answered without a row");
      if (row.token === null) return { ok: false, place: Number(row.place), leftMs: row.left_ms };
      return { ok: true, token: Number(row.token), heldMs: row.held_ms, leftMs: row.left_ms };
    },
    async renew(lock, owner, token, ttlMs) {
      const [row] = await run<{ left_ms: number }>(sql.renew, [lock, owner, token, ttlMs]);
      return row?.left_ms ?? null;
    },
    release: async (lock, owner, token) => freed(lock, await run(sql.release, [lock, owner, token])),
    evict: async (lock, token) => freed(lock, await run(sql.evict, [lock, token])),
    withdraw: async (lock, owner) => void (await run(sql.withdraw, [lock, owner])),
    list: async (limit) => (await run<ListRow>(sql.list, [limit])).map(readRecord),
    async health() {
      const before = performance.now();
      return run("SELECT 1", []).then(
        () => ({ ok: true, latencyMs: performance.now() - before, detail: "" }),
        (error: Error) => ({ ok: false, latencyMs: null, detail: error.message }),
      );
    },
    onFreed: (listener) => void listeners.push(listener),
    async close() {
      clearInterval(sweep);
      await pool.end();
    },
  };
  const ledger: TokenLedger = {
    async next() {
      const [row] = await run<{ token: string }>(sql.nextToken, []);
      if (row === undefined) throw new LockProviderDown(name, "it gave no token");
      return Number(row.token);
    },
  };
  return { provider, ledger };
}

interface AttemptRow {
  readonly token: string | null;
  readonly held_ms: number;
  readonly left_ms: number;
  readonly place: string;
}

interface ListRow {
  readonly name: string;
  readonly lease: LockRecord["lease"];
  readonly waiters: LockRecord["waiters"];
}

const sql = {
  attempt: "SELECT token, held_ms, left_ms, place FROM attempt_lock($1, $2, $3, $4, $5)",
  renew: `UPDATE locks SET held_until = greatest(held_until, clock_timestamp() + $4 * interval '1 ms')
    WHERE name = $1 AND owner = $2 AND token = $3 AND held_until > clock_timestamp()
    RETURNING milliseconds_between(clock_timestamp(), held_until) AS left_ms`,
  release: `DELETE FROM locks WHERE name = $1 AND owner = $2 AND token = $3 AND held_until > clock_timestamp() RETURNING 1`,
  evict: `DELETE FROM locks WHERE name = $1 AND token = $2 AND held_until > clock_timestamp() RETURNING 1`,
  withdraw: "DELETE FROM lock_waiters WHERE name = $1 AND owner = $2",
  nextToken: "SELECT nextval('lock_tokens') AS token",
  sweep: `WITH gone AS (DELETE FROM lock_waiters WHERE waits_until < clock_timestamp() - interval '1 min')
    DELETE FROM locks WHERE held_until < clock_timestamp() - interval '1 min'`,
  list: `SELECT coalesce(l.name, q.name) AS name,
      CASE WHEN l.name IS NOT NULL THEN json_build_object('owner', l.owner, 'holder', l.holder, 'token', l.token,
        'heldMs', milliseconds_between(l.held_since, clock_timestamp()),
        'leftMs', milliseconds_between(clock_timestamp(), l.held_until)) END AS lease,
      coalesce(q.waiters, '[]'::json) AS waiters
    FROM (SELECT * FROM locks WHERE held_until > clock_timestamp()) l
    FULL JOIN (
      SELECT name, json_agg(json_build_object('owner', owner, 'holder', holder,
        'waitedMs', milliseconds_between(waits_since, clock_timestamp())) ORDER BY place) AS waiters
      FROM lock_waiters WHERE waits_until > clock_timestamp() GROUP BY name
    ) q ON q.name = l.name
    ORDER BY 1 LIMIT $1`,
} as const;

const names = new Map<string, string>(Object.entries(sql).map(([key, text]) => [text, `lock-${key}`]));
const nameOf = (text: string): string => names.get(text) ?? "lock-ping";

function readRecord({ name, lease, waiters }: ListRow): LockRecord {
  return { name, lease, waiters };
}
