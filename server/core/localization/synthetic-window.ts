import type {
  EdgeSeries,
  LogTable,
  LogTemplate,
  Period,
  Series,
  SpanTable,
  Target,
  TelemetryWindow,
} from "./telemetry.ts";

/**
 * Builds small telemetry windows for tests: `shop` calls `cart` and `pay`, both call `db`. One sample a minute, five before
 * the fault and five after, two hours of normal operation before that.
 */
export const NODES = ["shop", "cart", "pay", "db"] as const;
export const EDGES: readonly (readonly [string, string])[] = [
  ["shop", "cart"],
  ["shop", "pay"],
  ["cart", "db"],
  ["pay", "db"],
];
export const STEP_S = 60;
export const FAULT_S = 1_000_000;

/** The value of one metric: the level in normal operation and before the fault, and since. */
export type Levels = Readonly<Record<string, Readonly<Record<string, readonly [number, number]>>>>;

/** A little deterministic unrest, so that no spread is exactly zero. */
export function wobble(i: number): number {
  return 1 + 0.02 * Math.sin(i * 2.399);
}

export function makeSeries(fromS: number, count: number, level: (timeS: number) => number): Series {
  const timesS = Array.from({ length: count }, (_, i) => fromS + i * STEP_S);
  return { timesS, values: timesS.map((timeS, i) => level(timeS) * wobble(i)) };
}

/** Metrics of both periods from levels. */
export function makePeriods(levels: Levels): { current: Period; normal: Period } {
  const build = (fromS: number, count: number, isCurrent: boolean): Period => ({
    edgeMetrics: [],
    metrics: Object.fromEntries(
      Object.entries(levels).map(([node, metrics]) => [
        node,
        Object.fromEntries(
          Object.entries(metrics).map(([metric, [before, after]]) => [
            metric,
            makeSeries(fromS, count, (timeS) => (isCurrent && timeS >= FAULT_S ? after : before)),
          ]),
        ),
      ]),
    ),
  });
  return { current: build(FAULT_S - 5 * STEP_S, 10, true), normal: build(FAULT_S - 7_200, 100, false) };
}

export function makeWindow(
  parts: Partial<{ current: Period; normal: Period; target: Target; edges: typeof EDGES }>,
): TelemetryWindow {
  const empty: Period = { metrics: {}, edgeMetrics: [] };
  return {
    faultTimeS: FAULT_S,
    stepS: STEP_S,
    nodes: NODES,
    edges: parts.edges ?? EDGES,
    target: parts.target,
    current: parts.current ?? empty,
    normal: parts.normal ?? empty,
  };
}

/** One span of a request: its children run inside it, and their time comes on top of `ownMs`. */
export interface SpanPlan {
  readonly node: (typeof NODES)[number];
  readonly op: string;
  readonly ownMs: number;
  readonly lines?: readonly string[];
  readonly children?: readonly SpanPlan[];
}

/** Lays out one trace per plan, one second apart from `startS` (relative to the fault), with its log lines. */
export function makeTraces(plans: readonly SpanPlan[], startS: number): { spans: SpanTable; logs: LogTable } {
  const columns = { trace: [], parent: [], node: [], op: [], startUs: [], durationUs: [] } as Record<string, number[]>;
  const ops: string[] = [];
  const templates: LogTemplate[] = [];
  const log = { timeMs: [] as number[], template: [] as number[], span: [] as number[] };
  const write = (node: number, span: number, timeMs: number, text: string): void => {
    if (!templates.some((known) => known.node === node && known.key === text)) {
      templates.push({ node, key: text, text, level: text.startsWith("ERROR") ? "ERROR" : "INFO" });
    }
    log.timeMs.push(timeMs);
    log.template.push(templates.findIndex((known) => known.node === node && known.key === text));
    log.span.push(span);
  };
  const place = (plan: SpanPlan, trace: number, parent: number, startUs: number): number => {
    const row = columns.op!.length;
    const node = NODES.indexOf(plan.node);
    if (!ops.includes(plan.op)) ops.push(plan.op);
    for (const [name, value] of Object.entries({
      trace,
      parent,
      node,
      op: ops.indexOf(plan.op),
      startUs,
      durationUs: 0,
    })) {
      columns[name]!.push(value);
    }
    let endUs = startUs + plan.ownMs * 1000 * wobble(row);
    for (const child of plan.children ?? []) endUs += place(child, trace, row, endUs);
    columns.durationUs![row] = endUs - startUs;
    // The first line is written on entry, the others when everything is done.
    for (const [i, text] of (plan.lines ?? []).entries())
      write(node, row, (i === 0 ? startUs : endUs) / 1000 + i, text);
    return endUs - startUs;
  };
  for (const [trace, plan] of plans.entries()) place(plan, trace, -1, (startS + trace) * 1e6);
  return { spans: { ops, ...columns } as unknown as SpanTable, logs: { templates, ...log } };
}

/** A call: the caller's span, whose `networkMs` is lost on the way, around the callee's. */
export function makeCall(caller: SpanPlan["node"], networkMs: number, callee: SpanPlan): SpanPlan {
  return { node: caller, op: `call ${callee.op}`, ownMs: networkMs, children: [callee] };
}

export function makeEdgeSeries(from: string, to: string, metric: string, series: Series): EdgeSeries {
  return { from, to, metric, series };
}
