import { createHash } from "node:crypto";
import type { AuditDraft } from "../../core/index.ts";
import type { AuditView } from "../../protocol/index.ts";
import { toSafeJson } from "./safe-json.ts";

/** A stored audit entry. `body` is the text that was hashed; everything shown is read from it. */
export interface AuditRow {
  readonly seq: number;
  readonly body: string;
  readonly previousHash: string;
  readonly hash: string;
}

export interface AuditHead {
  readonly seq: number;
  readonly hash: string;
}

/** The chain begins here. */
export const auditGenesis: AuditHead = { seq: 0, hash: "0".repeat(64) };

/** The text that is hashed: one fixed order of fields, so that the same draft always gives the same text. */
export function encodeAuditBody(draft: AuditDraft): string {
  const { at, actor, actorRole, verb, subject, before, after, reason } = draft;
  return toSafeJson({ at, actor, actorRole, verb, subject, before, after, reason });
}

/** SHA-256 over `previousHash LF seq LF body` (UTF-8), hexadecimal. The commit function in the database computes the same. */
export function hashAuditEntry(previousHash: string, seq: number, body: string): string {
  return createHash("sha256").update(`${previousHash}\n${seq}\n${body}`, "utf8").digest("hex");
}

export function chainAudit(head: AuditHead, body: string): AuditRow {
  const seq = head.seq + 1;
  return { seq, body, previousHash: head.hash, hash: hashAuditEntry(head.hash, seq, body) };
}

export function readAuditRow(row: AuditRow): AuditView {
  const draft = JSON.parse(row.body) as AuditDraft;
  return { ...draft, seq: row.seq, hash: row.hash, previousHash: row.previousHash };
}

export type AuditVerdict =
  | { readonly ok: true; readonly entries: number; readonly head: string }
  | { readonly ok: false; readonly brokenAt: number; readonly reason: string };

/** Checks one entry after the other; returns the first break, or null when `row` continues the chain. */
export function findAuditBreak(
  head: AuditHead,
  row: AuditRow,
): { readonly brokenAt: number; readonly reason: string } | null {
  if (row.seq !== head.seq + 1) {
    return { brokenAt: head.seq + 1, reason: `entry ${head.seq + 1} is missing; the next one stored is ${row.seq}` };
  }
  if (row.previousHash !== head.hash) {
    return { brokenAt: row.seq, reason: `entry ${row.seq} does not continue entry ${head.seq}: its link was changed` };
  }
  if (hashAuditEntry(row.previousHash, row.seq, row.body) !== row.hash) {
    return { brokenAt: row.seq, reason: `entry ${row.seq} was changed after it was written: its hash does not match` };
  }
  return null;
}

/** After the last entry: the stored head tells whether entries were cut off the end. */
export function closeAuditChain(last: AuditHead, stored: AuditHead): AuditVerdict {
  if (last.seq < stored.seq) {
    return {
      ok: false,
      brokenAt: last.seq + 1,
      reason: `${stored.seq - last.seq} entries after entry ${last.seq} were removed`,
    };
  }
  if (last.seq > stored.seq || last.hash !== stored.hash) {
    return { ok: false, brokenAt: last.seq, reason: `entry ${last.seq} is not the one the head of the chain names` };
  }
  return { ok: true, entries: last.seq, head: last.hash };
}
