import type { Document, Incident } from "../../core/index.ts";
import { documentKey } from "../../core/index.ts";
import type { Page, ReadStore } from "../../ports/store.ts";
import type { AuditView } from "../../protocol/index.ts";
import {
  type AuditHead,
  type AuditVerdict,
  auditGenesis,
  closeAuditChain,
  encodeAuditBody,
  findAuditBreak,
  readAuditRow,
} from "../shared/audit-chain.ts";
import { clampLimit, decodeAuditCursor, decodeIncidentCursor, encodeIncidentCursor } from "../shared/pages.ts";
import { appendAuditRow } from "./loop-store.ts";
import { type MemoryTables, requireAvailable } from "./tables.ts";

export function createMemoryReadStore(tables: MemoryTables): ReadStore {
  return {
    async incidents(filter) {
      requireAvailable(tables);
      return pageIncidents(tables, filter);
    },
    async incident(id) {
      requireAvailable(tables);
      return tables.incidents.get(id) ?? null;
    },
    async timeline(incidentId) {
      requireAvailable(tables);
      return tables.timeline.filter((entry) => entry.incidentId === incidentId);
    },
    async notes(incidentId) {
      requireAvailable(tables);
      return tables.notes.filter((note) => note.incidentId === incidentId);
    },
    async action(id) {
      requireAvailable(tables);
      return tables.actions.get(id) ?? null;
    },
    async actions(filter) {
      requireAvailable(tables);
      return [...tables.actions.values()]
        .filter((action) => filter.incidentId === undefined || action.incidentId === filter.incidentId)
        .filter((action) => filter.cluster === undefined || action.cluster === filter.cluster)
        .sort((a, b) => b.startedAt - a.startedAt || compareText(b.id, a.id))
        .slice(0, clampLimit(filter.limit));
    },
    async document(kind, id) {
      requireAvailable(tables);
      return (tables.documents.get(documentKey(kind, id)) ?? null) as never;
    },
    async documents(filter) {
      requireAvailable(tables);
      return pageDocuments(tables, filter) as never;
    },
    async audit(filter) {
      requireAvailable(tables);
      return pageAudit(tables, filter);
    },
    async verifyAudit() {
      requireAvailable(tables);
      return verifyAudit(tables);
    },
    async appendAudit(draft) {
      requireAvailable(tables);
      appendAuditRow(tables, encodeAuditBody(draft));
    },
  };
}

/** By code unit, as the database's C collation orders. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

type IncidentFilter = Parameters<ReadStore["incidents"]>[0];

function pageIncidents(tables: MemoryTables, filter: IncidentFilter): Page<Incident> {
  const after = decodeIncidentCursor(filter.cursor);
  const limit = clampLimit(filter.limit);
  const found = [...tables.incidents.values()]
    .filter((incident) => matchesPhase(incident, filter.phase))
    .filter((incident) => filter.cluster === undefined || incident.cluster === filter.cluster)
    .sort((a, b) => b.openedAt - a.openedAt || compareText(b.id, a.id))
    .filter(
      (incident) =>
        after === null ||
        incident.openedAt < after.openedAt ||
        (incident.openedAt === after.openedAt && compareText(incident.id, after.id) < 0),
    );
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: found.length > limit && last !== undefined ? encodeIncidentCursor(last) : null };
}

function matchesPhase(incident: Incident, phase: string | undefined): boolean {
  if (phase === undefined) return true;
  return phase === "active" ? incident.phase !== "closed" : incident.phase === phase;
}

type AuditFilter = Parameters<ReadStore["audit"]>[0];

function pageAudit(tables: MemoryTables, filter: AuditFilter): Page<AuditView> {
  const before = decodeAuditCursor(filter.cursor);
  const limit = clampLimit(filter.limit);
  const found = tables.audit
    .filter((row) => before === null || row.seq < before)
    .map(readAuditRow)
    .filter((entry) => filter.actor === undefined || entry.actor === filter.actor)
    .filter((entry) => filter.subject === undefined || entry.subject === filter.subject)
    .reverse();
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: found.length > limit && last !== undefined ? String(last.seq) : null };
}

function verifyAudit(tables: MemoryTables): AuditVerdict {
  let head: AuditHead = auditGenesis;
  for (const row of tables.audit) {
    const found = findAuditBreak(head, row);
    if (found !== null) return { ok: false, ...found };
    head = { seq: row.seq, hash: row.hash };
  }
  return closeAuditChain(head, tables.auditHead);
}

function pageDocuments(tables: MemoryTables, filter: Parameters<ReadStore["documents"]>[0]): Page<Document> {
  const after = decodeIncidentCursor(filter.cursor);
  const limit = clampLimit(filter.limit);
  const rows = [...tables.documents.values()]
    .filter((document) => document.kind === filter.kind)
    .filter((document) => filter.open === undefined || filter.open === (document.closedAt === null))
    .sort((a, b) => b.openedAt - a.openedAt || compareText(b.id, a.id))
    .filter(
      ({ openedAt, id }) =>
        after === null || openedAt < after.openedAt || (openedAt === after.openedAt && id < after.id),
    );
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? encodeIncidentCursor(last) : null };
}
