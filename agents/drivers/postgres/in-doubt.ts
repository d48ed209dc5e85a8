import type { InDoubtTransaction } from "../../../server/core/index.ts";
import { limits } from "../../../server/protocol/limits.ts";
import { type SqlConnection, type SqlTarget, withConnection } from "./sql.ts";
import { asNumber, asObject, asText } from "./status-query.ts";

const deadlineMs = 500;
const maxRelations = 10;
const maxDatabases = 4;

/**
 * Prepared transactions with what they block. Its locks belong to no process, and stand under the virtual transaction of the lock on its own number: the
 * session's that prepared it, or '-1/number' after a restart. A session waits for it when it waits for the same object and one of its blockers is 0, which is
 * how pg_blocking_pids names a prepared transaction.
 */
const inDoubtQuery = `
WITH held AS MATERIALIZED (SELECT x.transactionid AS xid, h.* FROM pg_locks x
    JOIN pg_locks h ON h.pid IS NULL AND h.granted AND h.virtualtransaction = x.virtualtransaction
    WHERE x.pid IS NULL AND x.locktype = 'transactionid' AND x.granted)
SELECT json_build_object('gid', p.gid, 'database', p.database, 'owner', p.owner,
  'ageMs', extract(epoch FROM clock_timestamp() - p.prepared) * 1000, 'xidAge', age(p.transaction),
  'locks', (SELECT count(*) FROM held h WHERE h.xid = p.transaction),
  'waits', (SELECT json_build_object('count', count(DISTINCT w.pid),
      'longestMs', max(extract(epoch FROM clock_timestamp() - a.query_start)) * 1000)
    FROM held h
    JOIN pg_locks w ON NOT w.granted AND w.locktype = h.locktype AND w.database IS NOT DISTINCT FROM h.database
      AND w.relation IS NOT DISTINCT FROM h.relation AND w.page IS NOT DISTINCT FROM h.page
      AND w.tuple IS NOT DISTINCT FROM h.tuple AND w.transactionid IS NOT DISTINCT FROM h.transactionid
      AND w.classid IS NOT DISTINCT FROM h.classid AND w.objid IS NOT DISTINCT FROM h.objid
    JOIN pg_stat_activity a ON a.pid = w.pid
    WHERE h.xid = p.transaction AND 0 = ANY (pg_blocking_pids(w.pid)))) AS entry
FROM pg_prepared_xacts p ORDER BY p.prepared LIMIT ${limits.maxInDoubt}`;

const relationsQuery = `
SELECT p.gid, array_agg(DISTINCT h.relation::regclass::text) AS relations
FROM pg_prepared_xacts p
JOIN pg_locks x ON x.pid IS NULL AND x.locktype = 'transactionid' AND x.transactionid = p.transaction
JOIN pg_locks h ON h.pid IS NULL AND h.virtualtransaction = x.virtualtransaction AND h.locktype = 'relation'
JOIN pg_class c ON c.oid = h.relation AND c.relkind IN ('r', 'p', 'm', 'f')
WHERE p.database = current_database() GROUP BY p.gid`;

/** Watches the prepared transactions of one server. Names of relations are read once for each: its locks don't change any more. */
export class InDoubtWatch {
  readonly #target: SqlTarget;
  #names = new Map<string, readonly string[]>();
  #seen: readonly InDoubtTransaction[] = [];

  constructor(target: SqlTarget) {
    this.#target = target;
  }

  get transactions(): readonly InDoubtTransaction[] {
    return this.#seen;
  }

  /** `count`: how many there are, from the figures that are asked anyway; nothing more is asked when there are none. */
  async look(connection: SqlConnection, count: number): Promise<void> {
    if (count === 0) {
      this.forget();
      return;
    }
    const rows = await connection.query(inDoubtQuery, [], deadlineMs);
    const entries = rows.map((row) => asObject(row.entry));
    this.#seen = entries.map((entry) => this.#decode(entry));
    void this.#readNames(entries.map((entry) => ({ gid: cut(entry.gid), database: asText(entry.database) ?? "" })));
  }

  forget(): void {
    this.#seen = [];
    this.#names = new Map();
  }

  #decode(entry: Readonly<Record<string, unknown>>): InDoubtTransaction {
    const gid = cut(entry.gid);
    const waits = asObject(entry.waits);
    return {
      gid,
      database: cut(entry.database),
      owner: cut(entry.owner),
      ageMs: Math.max(0, Math.round(asNumber(entry.ageMs) ?? 0)),
      xidAge: asNumber(entry.xidAge),
      relations: this.#names.get(gid) ?? [],
      lockCount: asNumber(entry.locks) ?? 0,
      waiting: asNumber(waits.count) ?? 0,
      longestWaitMs: roundOrNull(asNumber(waits.longestMs)),
    };
  }

  /** A relation's name is known only inside its database. */
  async #readNames(entries: readonly { readonly gid: string; readonly database: string }[]): Promise<void> {
    const unknown = entries.filter(({ gid }) => !this.#names.has(gid));
    const databases = [...new Set(unknown.map(({ database }) => database))].slice(0, maxDatabases);
    for (const { gid } of unknown) this.#names.set(gid, []);
    for (const database of databases) {
      await withConnection({ ...this.#target, database }, deadlineMs, async (connection) => {
        for (const row of await connection.query(relationsQuery, [], deadlineMs)) {
          const names = Array.isArray(row.relations) ? row.relations.map(cut) : [];
          this.#names.set(cut(row.gid), names.slice(0, maxRelations));
        }
      }).catch(() => undefined);
    }
  }
}

const cut = (value: unknown): string => (asText(value) ?? "").slice(0, 200);
const roundOrNull = (value: number | null): number | null => (value === null ? null : Math.max(0, Math.round(value)));
