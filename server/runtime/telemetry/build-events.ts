import type { LogTable, LogTemplate, SpanTable } from "../../core/localization/telemetry.ts";
import type { Span } from "./build-window.ts";
import { knowsAllPlaces } from "./log-counts.ts";
import type { ServiceGraph } from "./resolve-graph.ts";
import type { StoredSpan } from "./span-ring.ts";
import type { TelemetryRecords } from "./telemetry-records.ts";

/** Of one template in one second; beyond it the exact number says nothing more. */
const eventsOfSecond = 50;
const spansOfPeriod = 20_000;
const client = 2;
const producer = 3;

interface SpanDraft {
  readonly ops: string[];
  readonly trace: number[];
  readonly parent: number[];
  readonly node: number[];
  readonly op: number[];
  readonly startUs: number[];
  readonly durationUs: number[];
}

/**
 * Sampled spans of a period. A call to something that sends no spans itself (a database) gets a span of its own there, as long as the
 * call: the time belongs to the callee, as far as anybody can tell.
 */
export function buildSpans(
  records: TelemetryRecords,
  graph: ServiceGraph,
  names: readonly string[],
  span: Span,
  isCurrent: boolean,
): { readonly table: SpanTable; readonly rows: ReadonlyMap<string, number> } | null {
  const ring = isCurrent ? records.spans.recent.bind(records.spans) : records.spans.calm.bind(records.spans);
  const stored = ring(span.from * 1_000, span.to * 1_000)
    .filter(({ startAt }) => !span.skip.some(([from, to]) => startAt >= from * 1_000 && startAt < to * 1_000))
    .slice(-spansOfPeriod);
  if (stored.length === 0) return null;
  // Spans of a trace stand together, as the localizer likes them.
  stored.sort((a, b) => (a.traceId < b.traceId ? -1 : a.traceId > b.traceId ? 1 : a.startAt - b.startAt));
  const index = new Map(names.map((name, i) => [name, i]));
  const table: SpanDraft = { ops: [], trace: [], parent: [], node: [], op: [], startUs: [], durationUs: [] };
  const ops = numberer(table.ops);
  const traces = numberer([]);
  const rows = new Map<string, number>();
  for (const [row, each] of stored.entries()) rows.set(`${each.traceId}${each.id}`, row);
  const add = (each: StoredSpan, parent: number, node: number, op: string): void => {
    table.trace.push(traces(each.traceId));
    table.parent.push(parent);
    table.node.push(node);
    table.op.push(ops(op));
    table.startUs.push(Math.round((each.startAt - span.origin * 1_000) * 1_000));
    table.durationUs.push(each.durationUs);
  };
  for (const each of stored) {
    const parent = each.parent === "" ? -1 : (rows.get(`${each.traceId}${each.parent}`) ?? -2);
    add(each, parent, index.get(each.service) ?? -1, each.op);
  }
  stored.forEach((each, row) => {
    if ((each.kind !== client && each.kind !== producer) || each.peer === "") return;
    const callee = records.spans.resolve(each.service, each.peer) ?? each.peer;
    const node = graph.nodes.get(callee);
    if (node === undefined || node.tracesItself) return;
    add(each, row, index.get(callee) ?? -1, each.op);
  });
  return { table, rows };
}

/** `rows`: trace and span id → row of the period's span table. */
export function buildLogs(
  records: TelemetryRecords,
  names: readonly string[],
  span: Span,
  isCurrent: boolean,
  rows: ReadonlyMap<string, number>,
): LogTable {
  const index = new Map(names.map((name, i) => [name, i]));
  const templates: LogTemplate[] = [];
  const events: { readonly timeMs: number; readonly template: number; readonly span: number }[] = [];
  const skips = (second: number) => span.skip.some(([from, to]) => second >= from && second < to);
  for (const log of records.logs.all()) {
    const { service, view, counts, recent, calm } = log;
    const node = index.get(service);
    if (node === undefined) continue;
    const template = templates.length;
    const before = events.length;
    for (const [second, count] of counts) {
      if (second < span.from || second >= span.to) continue;
      if (skips(second)) continue;
      const shown = Math.min(count, eventsOfSecond);
      for (let i = 0; i < shown; i += 1) {
        const timeMs = (second - span.origin) * 1_000 + Math.floor((1_000 * i) / shown);
        events.push({ timeMs, template, span: -1 });
      }
    }
    // Errors that are new are new, however many of them are known.
    const places =
      view.level === "error" || view.level === "fatal" || knowsAllPlaces(log) ? (isCurrent ? recent : calm) : [];
    for (const { traceId, spanId, at } of places) {
      const row = rows.get(`${traceId}${spanId}`);
      if (row !== undefined && !skips(at / 1_000)) {
        events.push({ timeMs: at - span.origin * 1_000, template, span: row });
      }
    }
    if (events.length > before)
      templates.push({ node, level: view.level, key: `${view.level} ${view.key}`, text: view.text });
  }
  events.sort((a, b) => a.timeMs - b.timeMs);
  return {
    templates,
    timeMs: events.map((event) => event.timeMs),
    template: events.map((event) => event.template),
    span: events.map((event) => event.span),
  };
}

function numberer(names: string[]): (name: string) => number {
  const ids = new Map<string, number>();
  return (name) => {
    const known = ids.get(name);
    if (known !== undefined) return known;
    ids.set(name, names.length);
    names.push(name);
    return names.length - 1;
  };
}
