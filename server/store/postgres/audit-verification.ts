import type { Pool } from "pg";
import {
  type AuditHead,
  type AuditVerdict,
  auditGenesis,
  closeAuditChain,
  findAuditBreak,
} from "../shared/audit-chain.ts";
import { readSnapshot } from "./connections.ts";

/** Entries held in memory at a time. */
const batchSize = 2_000;

/** On one snapshot: entries written meanwhile don't look like a break. */
export async function verifyAuditChain(pool: Pool): Promise<AuditVerdict> {
  return readSnapshot(pool, async (client) => {
    const ledger = await client.query<{ seq: string; hash: string }>(
      "SELECT audit_seq AS seq, audit_hash AS hash FROM ledger",
    );
    let head: AuditHead = auditGenesis;
    for (;;) {
      const { rows } = await client.query<{ seq: string; body: string; previous_hash: string; hash: string }>(
        "SELECT seq, body, previous_hash, hash FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2",
        [head.seq, batchSize],
      );
      for (const row of rows) {
        const entry = { seq: Number(row.seq), body: row.body, previousHash: row.previous_hash, hash: row.hash };
        const found = findAuditBreak(head, entry);
        if (found !== null) return { ok: false, ...found };
        head = { seq: entry.seq, hash: entry.hash };
      }
      if (rows.length < batchSize) break;
    }
    const stored = ledger.rows[0];
    return closeAuditChain(head, { seq: Number(stored?.seq ?? 0), hash: stored?.hash ?? auditGenesis.hash });
  });
}
