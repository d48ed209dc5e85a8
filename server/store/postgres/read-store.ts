import type { Action, Document, Incident, TimelineEntry } from "../../core/index.ts";
import type { Page, ReadStore } from "../../ports/store.ts";
import type { AuditView } from "../../protocol/index.ts";
import type { Prisma } from "../generated/client.ts";
import { encodeAuditBody, readAuditRow } from "../shared/audit-chain.ts";
import { clampLimit, decodeAuditCursor, decodeIncidentCursor, encodeIncidentCursor } from "../shared/pages.ts";
import { toSafeJson } from "../shared/safe-json.ts";
import { verifyAuditChain } from "./audit-verification.ts";
import { type Connections, runStatement } from "./connections.ts";
import { type Database, runPrisma } from "./prisma-client.ts";

const appendAudit = { name: "append-audit", text: "SELECT append_audit($1)" };

export function createPostgresReadStore(connections: Connections, database: Database): ReadStore {
  return {
    incidents: (filter) => runPrisma(() => pageIncidents(database, filter)),
    incident: (id) =>
      runPrisma(async () => {
        const row = await database.incident.findUnique({ where: { id }, select: { value: true } });
        return row === null ? null : (row.value as unknown as Incident);
      }),
    timeline: (incidentId) =>
      runPrisma(async () => {
        const rows = await database.timelineEntry.findMany({ where: { incidentId }, orderBy: { seq: "asc" } });
        return rows.map((row) => ({ ...(row.value as unknown as TimelineEntry), seq: Number(row.seq) }));
      }),
    notes: (incidentId) =>
      runPrisma(() => database.note.findMany({ where: { incidentId }, orderBy: [{ at: "asc" }, { id: "asc" }] })),
    action: (id) =>
      runPrisma(async () => {
        const row = await database.action.findUnique({ where: { id }, select: { value: true } });
        return row === null ? null : (row.value as unknown as Action);
      }),
    actions: (filter) =>
      runPrisma(async () => {
        const rows = await database.action.findMany({
          where: { incidentId: filter.incidentId, cluster: filter.cluster },
          orderBy: [{ startedAt: "desc" }, { id: "desc" }],
          take: clampLimit(filter.limit),
          select: { value: true },
        });
        return rows.map((row) => row.value as unknown as Action);
      }),
    document: (kind, id) =>
      runPrisma(async () => {
        const row = await database.document.findUnique({ where: { kind_id: { kind, id } }, select: { value: true } });
        return (row?.value ?? null) as never;
      }),
    documents: (filter) => runPrisma(() => pageDocuments(database, filter)) as never,
    audit: (filter) => runPrisma(() => pageAudit(database, filter)),
    verifyAudit: () => verifyAuditChain(connections.reads),
    async appendAudit(draft) {
      await runStatement(connections.reads, appendAudit, [toSafeJson([encodeAuditBody(draft)])]);
    },
  };
}

type IncidentFilter = Parameters<ReadStore["incidents"]>[0];

function phaseFilter(phase: string | undefined): Prisma.IncidentWhereInput {
  return phase === "active" ? { phase: { not: "closed" } } : { phase };
}

async function pageIncidents(database: Database, filter: IncidentFilter): Promise<Page<Incident>> {
  const limit = clampLimit(filter.limit);
  const after = decodeIncidentCursor(filter.cursor);
  const rows = await database.incident.findMany({
    where: {
      ...phaseFilter(filter.phase),
      cluster: filter.cluster,
      ...(after === null
        ? {}
        : { OR: [{ openedAt: { lt: after.openedAt } }, { openedAt: after.openedAt, id: { lt: after.id } }] }),
    },
    orderBy: [{ openedAt: "desc" }, { id: "desc" }],
    take: limit + 1,
    select: { value: true },
  });
  const items = rows.slice(0, limit).map((row) => row.value as unknown as Incident);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? encodeIncidentCursor(last) : null };
}

async function pageDocuments(
  database: Database,
  filter: Parameters<ReadStore["documents"]>[0],
): Promise<Page<Document>> {
  const limit = clampLimit(filter.limit);
  const after = decodeIncidentCursor(filter.cursor);
  const rows = await database.document.findMany({
    where: {
      kind: filter.kind,
      ...(filter.open === undefined ? {} : { closedAt: filter.open ? null : { not: null } }),
      ...(after === null
        ? {}
        : { OR: [{ openedAt: { lt: after.openedAt } }, { openedAt: after.openedAt, id: { lt: after.id } }] }),
    },
    orderBy: [{ openedAt: "desc" }, { id: "desc" }],
    take: limit + 1,
    select: { value: true },
  });
  const items = rows.slice(0, limit).map((row) => row.value as unknown as Document);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? encodeIncidentCursor(last) : null };
}

type AuditFilter = Parameters<ReadStore["audit"]>[0];

async function pageAudit(database: Database, filter: AuditFilter): Promise<Page<AuditView>> {
  const limit = clampLimit(filter.limit);
  const before = decodeAuditCursor(filter.cursor);
  const rows = await database.auditEntry.findMany({
    where: { actor: filter.actor, subject: filter.subject, seq: before === null ? undefined : { lt: before } },
    orderBy: { seq: "desc" },
    take: limit + 1,
  });
  const items = rows.slice(0, limit).map((row) => readAuditRow({ ...row, seq: Number(row.seq) }));
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? String(last.seq) : null };
}
