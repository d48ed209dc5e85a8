import type { Regrouped, TraceFilter, TraceStore, TrendWindow } from "../../ports/traces.ts";
import type { ErrorTrace, TraceGroupView, TracePartView } from "../../protocol/index.ts";
import { encodeAuditBody } from "../shared/audit-chain.ts";
import { clampLimit } from "../shared/pages.ts";
import { fingerprintTrace, sumParts } from "../shared/trace-groups.ts";
import {
  fillTrend,
  findBuckets,
  groupsKept,
  hourMs,
  hoursKeptMs,
  minuteMs,
  minutesKeptMs,
} from "../shared/trace-trend.ts";
import { appendAuditRow } from "./loop-store.ts";
import { compareText } from "./read-store.ts";
import { type MemoryTables, requireAvailable, type TraceCount } from "./tables.ts";

export interface TraceOccurrence {
  readonly node: string;
  readonly at: number;
  readonly trace: ErrorTrace;
  readonly receivedAt: number;
}

export function recordTrace(tables: MemoryTables, { node, at, trace, receivedAt }: TraceOccurrence): void {
  const { id, why } = fingerprintTrace(trace);
  const known = tables.traceGroups.get(id);
  const group: TracePartView = {
    id,
    service: trace.service,
    language: trace.language,
    type: trace.type,
    message: known?.message ?? trace.message,
    frames: known?.frames ?? trace.frames,
    count: (known?.count ?? 0) + trace.count,
    firstSeenAt: Math.min(known?.firstSeenAt ?? at, at),
    lastSeenAt: Math.max(known?.lastSeenAt ?? at, at),
    nodes: [...new Set([...(known?.nodes ?? []), node])].sort(),
    why,
  };
  tables.traceGroups.set(id, group);
  const examples = tables.traceExamples.get(id) ?? new Map();
  tables.traceExamples.set(id, examples.set(node, { node, at, trace }));
  const { minute, hour } = findBuckets(at, receivedAt);
  if (minute !== null) countTrace(tables, { group: id, stepMs: minuteMs, at: minute, count: trace.count });
  if (hour !== null) countTrace(tables, { group: id, stepMs: hourMs, at: hour, count: trace.count });
}

function countTrace(tables: MemoryTables, added: TraceCount): void {
  const key = JSON.stringify([added.group, added.stepMs, added.at]);
  tables.traceCounts.set(key, { ...added, count: (tables.traceCounts.get(key)?.count ?? 0) + added.count });
}

export function createMemoryTraceStore(tables: MemoryTables): TraceStore {
  return {
    async groups(filter) {
      requireAvailable(tables);
      return findGroups(tables, filter, null);
    },
    async groupsWithTrend(filter, window) {
      requireAvailable(tables);
      return findGroups(tables, filter, window).map((group) => ({
        ...group,
        trend: trendOf(tables, group.id, window),
      }));
    },
    async services() {
      requireAvailable(tables);
      return [...new Set([...tables.traceGroups.values()].map((group) => group.service))].sort(compareText);
    },
    async group(id) {
      requireAvailable(tables);
      const parts = partsOf(tables, rootOf(tables, id));
      const [first] = parts;
      if (first === undefined) return null;
      const examples = parts.flatMap((part) =>
        [...(tables.traceExamples.get(part.id)?.values() ?? [])].map((example) => ({ part: part.id, ...example })),
      );
      examples.sort((a, b) => b.at - a.at || compareText(a.node, b.node) || compareText(a.part, b.part));
      return { group: sumParts(first, parts), parts, examples };
    },
    async trend(groupId, window) {
      requireAvailable(tables);
      return trendOf(tables, groupId, window);
    },
    async merge(into, from, audit) {
      requireAvailable(tables);
      const result = merge(tables, into, from);
      if (result === "done") appendAuditRow(tables, encodeAuditBody(audit));
      return result;
    },
    async split(part, audit) {
      requireAvailable(tables);
      if (!tables.traceGroups.has(part)) return "unknown-trace-group";
      if (!tables.traceMerges.delete(part)) return "not-merged";
      appendAuditRow(tables, encodeAuditBody(audit));
      return "done";
    },
    async prune(nowMs) {
      requireAvailable(tables);
      return prune(tables, nowMs);
    },
  };
}

function rootOf(tables: MemoryTables, id: string): string {
  return tables.traceMerges.get(id) ?? id;
}

/** The group's own fingerprint first, then by how often. */
function partsOf(tables: MemoryTables, root: string): TracePartView[] {
  return [...tables.traceGroups.values()]
    .filter((part) => rootOf(tables, part.id) === root)
    .sort((a, b) => Number(a.id !== root) - Number(b.id !== root) || b.count - a.count || compareText(a.id, b.id));
}

function findGroups(tables: MemoryTables, filter: TraceFilter, window: TrendWindow | null): TraceGroupView[] {
  const roots = new Set([...tables.traceGroups.keys()].map((id) => rootOf(tables, id)));
  const found = [...roots].flatMap((root) => {
    const parts = partsOf(tables, root);
    const [first] = parts;
    return first !== undefined && matches(parts, filter) ? [sumParts(first, parts)] : [];
  });
  const recent = (group: TraceGroupView) =>
    window === null ? 0 : trendOf(tables, group.id, window).counts.reduce((sum, count) => sum + count, 0);
  const rank = (group: TraceGroupView) => {
    if (filter.sort === "count") return recent(group);
    return filter.sort === "first-seen" ? group.firstSeenAt : group.lastSeenAt;
  };
  return found
    .filter((group) => filter.fromMs === undefined || group.lastSeenAt >= filter.fromMs)
    .filter((group) => filter.toMs === undefined || group.firstSeenAt <= filter.toMs)
    .sort((a, b) => rank(b) - rank(a) || b.lastSeenAt - a.lastSeenAt || compareText(a.id, b.id))
    .slice(0, clampLimit(filter.limit));
}

function matches(parts: readonly TracePartView[], { node, service, search }: TraceFilter): boolean {
  const text = (part: TracePartView) =>
    [part.service, part.type, part.message, ...part.frames.flatMap((frame) => [frame.function, frame.file])].join("\n");
  return (
    (node === undefined || parts.some((part) => part.nodes.includes(node))) &&
    (service === undefined || parts.some((part) => part.service === service)) &&
    (search === undefined || parts.some((part) => text(part).toLowerCase().includes(search.toLowerCase())))
  );
}

function trendOf(tables: MemoryTables, root: string, window: TrendWindow) {
  const counts = [...tables.traceCounts.values()];
  return fillTrend(
    window,
    counts.filter((each) => each.stepMs === window.stepMs && rootOf(tables, each.group) === root),
  );
}

function merge(tables: MemoryTables, into: string, from: readonly string[]): Regrouped {
  const { traceGroups, traceMerges } = tables;
  if (from.length === 0 || ![into, ...from].every((id) => traceGroups.has(id))) return "unknown-trace-group";
  const root = rootOf(tables, into);
  if (from.some((id) => rootOf(tables, id) === root)) return "same-trace-group";
  const moved = [...traceGroups.keys()].filter((id) => from.includes(id) || from.includes(rootOf(tables, id)));
  for (const id of moved) traceMerges.set(id, root);
  return "done";
}

function prune(tables: MemoryTables, nowMs: number): number {
  const old = [...tables.traceCounts].filter(
    ([, { stepMs, at }]) => at < nowMs - (stepMs === minuteMs ? minutesKeptMs : hoursKeptMs),
  );
  for (const [key] of old) tables.traceCounts.delete(key);
  const groups = [...tables.traceGroups.values()].sort(
    (a, b) => b.lastSeenAt - a.lastSeenAt || compareText(a.id, b.id),
  );
  const gone = new Set(groups.slice(groupsKept).map((group) => group.id));
  for (const id of gone) {
    tables.traceGroups.delete(id);
    tables.traceExamples.delete(id);
    tables.traceMerges.delete(id);
  }
  for (const [id, root] of tables.traceMerges) if (gone.has(root)) tables.traceMerges.delete(id);
  for (const [key, { group }] of tables.traceCounts) if (gone.has(group)) tables.traceCounts.delete(key);
  return old.length + gone.size;
}
