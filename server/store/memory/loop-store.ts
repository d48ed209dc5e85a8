import type { TimelineEntry, Write } from "../../core/index.ts";
import type { CommitOutcome, LoadedState, Store } from "../../ports/store.ts";
import type { SpoolRecord } from "../../protocol/index.ts";
import { chainAudit, encodeAuditBody } from "../shared/audit-chain.ts";
import { type FoldedWrites, foldWrites } from "../shared/fold-writes.ts";
import { signalEntry, takeNewRecords } from "../shared/spool-window.ts";
import { type MemoryTables, requireAvailable } from "./tables.ts";
import { recordTrace } from "./traces.ts";

export function createMemoryLoopStore(tables: MemoryTables): Store {
  return {
    async lead(owner) {
      requireAvailable(tables);
      tables.leaderEpoch += 1;
      tables.leaderOwner = owner;
      return tables.leaderEpoch;
    },
    async leads(leaderEpoch) {
      requireAvailable(tables);
      return leaderEpoch === tables.leaderEpoch;
    },
    async load() {
      requireAvailable(tables);
      return loadOpen(tables);
    },
    async commit(leaderEpoch, writes) {
      return commit(tables, leaderEpoch, writes);
    },
    async applyRecords(node, spoolId, firstSeq, records, receivedAt, skipped = 0) {
      requireAvailable(tables);
      return applyRecords(tables, { node, spoolId, firstSeq, skipped, records, receivedAt });
    },
    async appliedRecords(node, spoolId) {
      requireAvailable(tables);
      return tables.spools.get(spoolKey(node, spoolId)) ?? 0;
    },
    async isAvailable() {
      return tables.faults.available;
    },
    async close() {},
  };
}

function commit(tables: MemoryTables, leaderEpoch: number, writes: readonly Write[]): CommitOutcome {
  const { faults } = tables;
  if (!faults.available) {
    return { ok: false, code: "unavailable", detail: "the in-memory database was made unavailable" };
  }
  if (leaderEpoch !== tables.leaderEpoch) {
    const detail = `epoch ${leaderEpoch} is not the newest: ${tables.leaderOwner} leads with epoch ${tables.leaderEpoch}`;
    return { ok: false, code: "conflict", detail };
  }
  const lost = faults.nextAnswerLost;
  faults.nextAnswerLost = null;
  const timeline = lost === "not-made" ? [] : applyWrites(tables, foldWrites(writes));
  if (lost !== null) return { ok: false, code: "unknown", detail: "the answer to the commit was lost" };
  return { ok: true, timeline };
}

function applyWrites(tables: MemoryTables, folded: FoldedWrites): readonly TimelineEntry[] {
  for (const [id, value] of folded.nodes) tables.nodes.set(id, value);
  for (const [id, value] of folded.clusters) tables.clusters.set(id, value);
  for (const [id, value] of folded.incidents) tables.incidents.set(id, value);
  for (const [id, value] of folded.actions) tables.actions.set(id, value);
  for (const [id, { record, finished }] of folded.commands) {
    const known = record ?? tables.commands.get(id)?.record;
    if (known !== undefined) tables.commands.set(id, { record: known, finished });
  }
  for (const [key, value] of folded.documents) tables.documents.set(key, value);
  tables.counters = folded.counters ?? tables.counters;
  tables.policy = folded.policy ?? tables.policy;
  for (const note of folded.notes) {
    if (!tables.notes.some((known) => known.id === note.id)) tables.notes.push(note);
  }
  for (const draft of folded.audit) appendAuditRow(tables, encodeAuditBody(draft));
  return folded.timeline.map((entry) => appendTimelineEntry(tables, entry));
}

function appendTimelineEntry(tables: MemoryTables, entry: TimelineEntry): TimelineEntry {
  const stored = { ...entry, seq: tables.timeline.length + 1 };
  tables.timeline.push(stored);
  return stored;
}

export function appendAuditRow(tables: MemoryTables, body: string): void {
  const row = chainAudit(tables.auditHead, body);
  tables.audit.push(row);
  tables.auditHead = { seq: row.seq, hash: row.hash };
}

function loadOpen(tables: MemoryTables): LoadedState {
  const incidents = new Map([...tables.incidents].filter(([, incident]) => incident.phase !== "closed"));
  const actions = [...tables.actions].filter(
    ([, action]) => action.phase === "running" || (action.incidentId !== null && incidents.has(action.incidentId)),
  );
  const commands = [...tables.commands].filter(([, command]) => command.finished === null);
  return {
    nodes: new Map(tables.nodes),
    clusters: new Map(tables.clusters),
    incidents,
    actions: new Map(actions),
    commands: new Map(commands.map(([id, command]) => [id, command.record])),
    documents: new Map([...tables.documents].filter(([, document]) => document.closedAt === null)),
    policy: tables.policy,
    counters: tables.counters,
  };
}

/** JSON keeps any two names apart. */
function spoolKey(node: string, spoolId: string): string {
  return JSON.stringify([node, spoolId]);
}

interface RecordBatch {
  readonly node: string;
  readonly spoolId: string;
  readonly firstSeq: number;
  readonly skipped: number;
  readonly records: readonly (SpoolRecord | null)[];
  readonly receivedAt: number;
}

function applyRecords(tables: MemoryTables, batch: RecordBatch): number {
  const key = spoolKey(batch.node, batch.spoolId);
  const applied = tables.spools.get(key) ?? 0;
  const fresh = takeNewRecords(applied, batch.firstSeq, batch.skipped, batch.records);
  for (const record of fresh) {
    if (record === null) continue;
    switch (record.kind) {
      case "trace":
        recordTrace(tables, { ...record, node: batch.node, receivedAt: batch.receivedAt });
        break;
      case "signal":
        appendTimelineEntry(tables, signalEntry(batch.node, record, batch.receivedAt));
        break;
      default:
        record satisfies never;
    }
  }
  const upTo = fresh.length === 0 ? applied : batch.firstSeq + batch.records.length - 1;
  tables.spools.set(key, upTo);
  return upTo;
}
