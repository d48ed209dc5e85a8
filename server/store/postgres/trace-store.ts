import type { Pool } from "pg";
import type { Regrouped, TraceFilter, TraceStore, TrendWindow } from "../../ports/traces.ts";
import type { ErrorTrace, TraceGroupView, TracePartView } from "../../protocol/index.ts";
import { encodeAuditBody } from "../shared/audit-chain.ts";
import { clampLimit } from "../shared/pages.ts";
import { toSafeJson } from "../shared/safe-json.ts";
import { sumParts } from "../shared/trace-groups.ts";
import { fillTrend, groupsKept, hourMs, hoursKeptMs, minuteMs, minutesKeptMs } from "../shared/trace-trend.ts";
import { type Connections, runStatement, type Statement } from "./connections.ts";

const statements = {
  // Filters look at every part of a merged group, figures add up, and the name is that of the part the others point at.
  groups: {
    name: "trace-groups",
    text: `WITH part AS (SELECT *, coalesce(merged_into, id) AS root FROM trace_groups),
      found AS (
        SELECT root, sum(count) AS count, min(first_seen_at) AS first_seen_at, max(last_seen_at) AS last_seen_at, count(*) - 1 AS merged,
          bool_or($1::text IS NULL OR $1 = ANY (nodes)) AS on_node,
          bool_or($2::text IS NULL OR service = $2) AS of_service,
          bool_or($3::text IS NULL OR position(lower($3) IN lower(service || E'\\n' || type || E'\\n' || message || E'\\n' ||
            (SELECT coalesce(string_agg(frame ->> 'function' || E'\\n' || (frame ->> 'file'), E'\\n'), '')
              FROM jsonb_array_elements(frames) AS frame))) > 0) AS matches
        FROM part GROUP BY root),
      recent AS (
        SELECT part.root, sum(trace_counts.count) AS count FROM trace_counts JOIN part ON part.id = trace_counts.group_id
        WHERE step_ms = $8 AND at >= $9 GROUP BY 1)
      SELECT shown.id, shown.service, shown.language, shown.type, shown.message, shown.frames, shown.why, found.count,
        found.first_seen_at, found.last_seen_at, found.merged,
        ARRAY(SELECT DISTINCT node FROM part, unnest(part.nodes) AS node WHERE part.root = shown.id ORDER BY node) AS nodes
      FROM found JOIN trace_groups AS shown ON shown.id = found.root LEFT JOIN recent ON recent.root = shown.id
      WHERE on_node AND of_service AND matches
        AND ($4::float8 IS NULL OR found.last_seen_at >= $4) AND ($5::float8 IS NULL OR found.first_seen_at <= $5)
      ORDER BY CASE $6 WHEN 'first-seen' THEN found.first_seen_at WHEN 'count' THEN coalesce(recent.count, 0)::float8
          ELSE found.last_seen_at END DESC, found.last_seen_at DESC, shown.id
      LIMIT $7`,
  },
  services: { name: "trace-services", text: "SELECT DISTINCT service FROM trace_groups ORDER BY 1 LIMIT 500" },
  parts: {
    name: "trace-parts",
    text: `SELECT part.* FROM trace_groups AS wanted
        JOIN trace_groups AS part ON coalesce(part.merged_into, part.id) = coalesce(wanted.merged_into, wanted.id)
      WHERE wanted.id = $1 ORDER BY part.merged_into IS NOT NULL, part.count DESC, part.id`,
  },
  examples: {
    name: "trace-examples",
    text: `SELECT group_id, node, at, trace FROM trace_examples WHERE group_id = ANY ($1) ORDER BY at DESC, node, group_id`,
  },
  counts: {
    name: "trace-counts",
    text: `SELECT coalesce(part.merged_into, part.id) AS root, counts.at, sum(counts.count) AS count
      FROM trace_groups AS part JOIN trace_counts AS counts ON counts.group_id = part.id
      WHERE (part.id = ANY ($1) OR part.merged_into = ANY ($1)) AND counts.step_ms = $2 AND counts.at >= $3
      GROUP BY 1, 2`,
  },
  merge: { name: "merge-traces", text: "SELECT merge_trace_groups($1, $2, $3) AS result" },
  split: { name: "split-trace", text: "SELECT split_trace_group($1, $2) AS result" },
  dropCounts: {
    name: "drop-trace-counts",
    text: "DELETE FROM trace_counts WHERE step_ms = $1 AND at < $2 RETURNING 1",
  },
  dropGroups: {
    name: "drop-trace-groups",
    text: `DELETE FROM trace_groups WHERE id IN (SELECT id FROM trace_groups ORDER BY last_seen_at DESC, id OFFSET $1) RETURNING 1`,
  },
} as const satisfies Record<string, Statement>;

interface GroupRow {
  readonly id: string;
  readonly service: string;
  readonly language: string;
  readonly type: string;
  readonly message: string;
  readonly frames: TraceGroupView["frames"];
  readonly count: string;
  readonly first_seen_at: number;
  readonly last_seen_at: number;
  readonly nodes: readonly string[];
  readonly why: readonly string[];
}

export function createPostgresTraceStore({ reads }: Connections): TraceStore {
  const readGroups = async (filter: TraceFilter, window: TrendWindow | null) => {
    const values = [filter.node, filter.service, filter.search, filter.fromMs, filter.toMs, filter.sort];
    const asked = [...values.map((value) => value ?? null), clampLimit(filter.limit)];
    const step = [window?.stepMs ?? minuteMs, window?.fromMs ?? Number.MAX_SAFE_INTEGER];
    const rows = await runStatement<GroupRow & { merged: string }>(reads, statements.groups, [...asked, ...step]);
    return rows.map((row) => ({ ...toPart(row), merged: Number(row.merged) }));
  };
  return {
    groups: (filter) => readGroups(filter, null),
    async groupsWithTrend(filter, window) {
      const groups = await readGroups(filter, window);
      const counts = await readCounts(
        reads,
        groups.map((group) => group.id),
        window,
      );
      return groups.map((group) => ({ ...group, trend: fillTrend(window, counts.get(group.id) ?? []) }));
    },
    async services() {
      return (await runStatement<{ service: string }>(reads, statements.services, [])).map((row) => row.service);
    },
    async group(id) {
      const parts = (await runStatement<GroupRow>(reads, statements.parts, [id])).map(toPart);
      const [first] = parts;
      if (first === undefined) return null;
      type Row = { group_id: string; node: string; at: number; trace: ErrorTrace };
      const rows = await runStatement<Row>(reads, statements.examples, [parts.map((part) => part.id)]);
      return {
        group: sumParts(first, parts),
        parts,
        examples: rows.map(({ group_id, node, at, trace }) => ({ part: group_id, node, at, trace })),
      };
    },
    async trend(groupId, window) {
      return fillTrend(window, (await readCounts(reads, [groupId], window)).get(groupId) ?? []);
    },
    merge: (into, from, audit) =>
      regroup(reads, statements.merge, [into, [...from], toSafeJson([encodeAuditBody(audit)])]),
    split: (part, audit) => regroup(reads, statements.split, [part, toSafeJson([encodeAuditBody(audit)])]),
    async prune(nowMs) {
      const minutes = await runStatement(reads, statements.dropCounts, [minuteMs, nowMs - minutesKeptMs]);
      const hours = await runStatement(reads, statements.dropCounts, [hourMs, nowMs - hoursKeptMs]);
      const groups = await runStatement(reads, statements.dropGroups, [groupsKept]);
      return minutes.length + hours.length + groups.length;
    },
  };
}

function toPart(row: GroupRow): TracePartView {
  const { id, service, language, type, message, frames, nodes, why } = row;
  const times = { firstSeenAt: row.first_seen_at, lastSeenAt: row.last_seen_at };
  return { id, service, language, type, message, frames, count: Number(row.count), ...times, nodes, why };
}

async function readCounts(pool: Pool, groups: readonly string[], window: TrendWindow) {
  type Row = { root: string; at: number; count: string };
  const rows = await runStatement<Row>(pool, statements.counts, [[...groups], window.stepMs, window.fromMs]);
  const byGroup = new Map<string, { at: number; count: number }[]>();
  for (const { root, at, count } of rows) {
    const known = byGroup.get(root) ?? [];
    known.push({ at, count: Number(count) });
    byGroup.set(root, known);
  }
  return byGroup;
}

async function regroup(pool: Pool, statement: Statement, values: readonly unknown[]): Promise<Regrouped> {
  const [row] = await runStatement<{ result: Regrouped }>(pool, statement, values);
  return row?.result ?? "unknown-trace-group";
}
