import type {
  Action,
  ClusterRecord,
  CommandRecord,
  Counters,
  Document,
  Incident,
  NodeRecord,
  Policy,
  TimelineEntry,
  Write,
} from "../../core/index.ts";
import { documentKey } from "../../core/index.ts";
import type { CommitOutcome, LoadedState, Store } from "../../ports/store.ts";
import type { SpoolRecord } from "../../protocol/index.ts";
import { encodeAuditBody } from "../shared/audit-chain.ts";
import { foldWrites } from "../shared/fold-writes.ts";
import { toSafeJson } from "../shared/safe-json.ts";
import { signalEntry } from "../shared/spool-window.ts";
import { fingerprintTrace } from "../shared/trace-groups.ts";
import { findBuckets } from "../shared/trace-trend.ts";
import { acquire, type Connections, readSnapshot, runStatement, type Statement, withClient } from "./connections.ts";
import { classifyFailure, describeFailure } from "./failure.ts";

const statements = {
  lead: {
    name: "lead",
    text: "UPDATE leader SET epoch = epoch + 1, owner = $1, since = now() RETURNING epoch",
  },
  leads: { name: "leads", text: "SELECT epoch = $1 AS leads FROM leader" },
  commit: { name: "commit", text: "SELECT commit_writes($1, $2) AS before" },
  apply: { name: "apply-records", text: "SELECT apply_records($1, $2, $3, $4, $5) AS applied" },
  applied: { name: "applied-records", text: "SELECT applied FROM spools WHERE node = $1 AND spool_id = $2" },
  probe: { name: "probe", text: "SELECT NOT pg_is_in_recovery() AS writable" },
} as const satisfies Record<string, Statement>;

export function createPostgresLoopStore(connections: Connections, closeAll: () => Promise<void>): Store {
  const { loop, ingest, reads } = connections;
  return {
    async lead(owner) {
      const [row] = await runStatement<{ epoch: string }>(loop, statements.lead, [owner]);
      return Number(row?.epoch);
    },
    async leads(leaderEpoch) {
      const [row] = await runStatement<{ leads: boolean }>(loop, statements.leads, [leaderEpoch]);
      return row?.leads === true;
    },
    load: () => loadOpen(reads),
    commit: (leaderEpoch, writes) => commit(loop, leaderEpoch, writes),
    async applyRecords(node, spoolId, firstSeq, records, receivedAt, skipped = 0) {
      const values = [node, spoolId, firstSeq, encodeRecords(node, records, receivedAt), skipped];
      const [row] = await runStatement<{ applied: string }>(ingest, statements.apply, values);
      return Number(row?.applied);
    },
    async appliedRecords(node, spoolId) {
      const [row] = await runStatement<{ applied: string }>(ingest, statements.applied, [node, spoolId]);
      return Number(row?.applied ?? 0);
    },
    async isAvailable() {
      const rows = await runStatement<{ writable: boolean }>(loop, statements.probe, []).catch(() => []);
      return rows[0]?.writable === true;
    },
    close: closeAll,
  };
}

type Pool = Connections["loop"];

async function commit(pool: Pool, leaderEpoch: number, writes: readonly Write[]): Promise<CommitOutcome> {
  const { payload, timeline } = encodeWrites(writes);
  const client = await acquire(pool).catch(describeFailure);
  if (typeof client === "string") return { ok: false, code: "unavailable", detail: client };
  try {
    const { rows } = await withClient(client, () =>
      client.query<{ before: string }>({ ...statements.commit, values: [leaderEpoch, payload] }),
    );
    const before = Number(rows[0]?.before);
    return { ok: true, timeline: timeline.map((entry, index) => ({ ...entry, seq: before + index + 1 })) };
  } catch (error) {
    const detail = describeFailure(error);
    const kind = classifyFailure(error);
    switch (kind) {
      case "conflict":
        return { ok: false, code: "conflict", detail };
      case "rolled-back":
        return { ok: false, code: "unavailable", detail };
      case "lost":
        return { ok: false, code: "unknown", detail };
      case "bug":
        throw new Error(`The database refused a commit for good: ${detail}`, { cause: error });
      default:
        return kind satisfies never;
    }
  }
}

/** The argument of `commit_writes`: only what the batch holds. */
function encodeWrites(writes: readonly Write[]): { payload: string; timeline: readonly TimelineEntry[] } {
  const folded = foldWrites(writes);
  const payload: Record<string, unknown> = {};
  const put = (key: string, items: readonly unknown[]) => {
    if (items.length > 0) payload[key] = items;
  };
  put("nodes", [...folded.nodes.values()]);
  put("clusters", [...folded.clusters.values()]);
  put("incidents", [...folded.incidents.values()]);
  put("actions", [...folded.actions.values()]);
  put("documents", [...folded.documents.values()]);
  const commands = [...folded.commands];
  put(
    "commands",
    commands
      .filter(([, change]) => change.record !== null)
      .map(([, { record, finished }]) => ({
        record,
        finished: finished !== null,
        outcome: finished?.outcome ?? null,
      })),
  );
  put(
    "finished",
    commands
      .filter(([, change]) => change.record === null)
      .map(([id, { finished }]) => ({ id, outcome: finished?.outcome ?? null })),
  );
  put("notes", folded.notes);
  put("audit", folded.audit.map(encodeAuditBody));
  put("timeline", folded.timeline.map(encodeEntry));
  const settings = {
    ...(folded.counters === null ? {} : { counters: folded.counters }),
    ...(folded.policy === null ? {} : { policy: folded.policy }),
  };
  if (Object.keys(settings).length > 0) payload.settings = settings;
  return { payload: toSafeJson(payload), timeline: folded.timeline };
}

/** Without its number: that is the row's key. */
function encodeEntry({ seq: _, ...entry }: TimelineEntry): Omit<TimelineEntry, "seq"> {
  return entry;
}

/** The argument of `apply_records`. */
function encodeRecords(node: string, records: readonly (SpoolRecord | null)[], receivedAt: number): string {
  return toSafeJson(
    records.map((record) => {
      // Takes its number and nothing else.
      if (record === null) return {};
      switch (record.kind) {
        case "trace":
          return {
            group: {
              ...fingerprintTrace(record.trace),
              ...findBuckets(record.at, receivedAt),
              at: record.at,
              trace: record.trace,
            },
          };
        case "signal":
          return { entry: encodeEntry(signalEntry(node, record, receivedAt)) };
        default:
          return record satisfies never;
      }
    }),
  );
}

/** One snapshot, so that an incident and its actions belong together. */
async function loadOpen(pool: Pool): Promise<LoadedState> {
  return readSnapshot(pool, async (client) => {
    const read = async <T extends { readonly id: string }>(text: string): Promise<Map<string, T>> => {
      const { rows } = await client.query<{ value: T }>(text);
      return new Map(rows.map(({ value }) => [value.id, value]));
    };
    const settings = await client.query<{ key: string; value: unknown }>("SELECT key, value FROM settings");
    const byKey = new Map(settings.rows.map((row) => [row.key, row.value]));
    return {
      nodes: await read<NodeRecord>("SELECT value FROM nodes ORDER BY id"),
      clusters: await read<ClusterRecord>("SELECT value FROM clusters ORDER BY id"),
      incidents: await read<Incident>("SELECT value FROM incidents WHERE phase <> 'closed' ORDER BY id"),
      actions: await read<Action>(
        `SELECT value FROM actions WHERE phase = 'running'
           OR incident_id IN (SELECT id FROM incidents WHERE phase <> 'closed') ORDER BY id`,
      ),
      commands: await read<CommandRecord>("SELECT value FROM commands WHERE NOT finished ORDER BY id"),
      documents: await readDocuments(client),
      policy: (byKey.get("policy") as Policy | undefined) ?? null,
      counters: (byKey.get("counters") as Counters | undefined) ?? { incident: 0, action: 0 },
    };
  });
}

async function readDocuments(client: {
  query<T extends object>(text: string): Promise<{ rows: T[] }>;
}): Promise<Map<string, Document>> {
  const { rows } = await client.query<{ value: Document }>(
    "SELECT value FROM documents WHERE closed_at IS NULL ORDER BY kind, id",
  );
  return new Map(rows.map(({ value }) => [documentKey(value.kind, value.id), value]));
}
