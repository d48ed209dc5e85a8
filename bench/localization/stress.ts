import type { Period, SpanTable, TelemetryWindow } from "../../server/core/localization/telemetry.ts";

/** Ways in which telemetry is worse in the field than in the cases; each returns a changed copy of the window. */
export const STRESSES: Readonly<Record<string, (window: TelemetryWindow) => TelemetryWindow>> = {
  "half of the traces": (window) => mapPeriods(window, (period) => selectTraces(period, (trace) => trace % 2 === 0)),
  "a quarter of the traces": (window) =>
    mapPeriods(window, (period) => selectTraces(period, (trace) => trace % 4 === 0)),
  "no logs": (window) => mapPeriods(window, (period) => ({ ...period, logs: undefined })),
  "no traces, no logs": (window) => mapPeriods(window, (period) => ({ ...period, logs: undefined, spans: undefined })),
  "no edge metrics": (window) => mapPeriods(window, (period) => ({ ...period, edgeMetrics: [] })),
  "half of the history": (window) => ({ ...window, normal: halveHistory(window.normal) }),
};

function mapPeriods(window: TelemetryWindow, change: (period: Period) => Period): TelemetryWindow {
  return { ...window, current: change(window.current), normal: change(window.normal) };
}

/** The same period with only the traces that `keep` accepts. Log lines of other traces lose their span. */
export function selectTraces(period: Period, keep: (trace: number) => boolean): Period {
  const { spans, logs } = period;
  if (spans === undefined) return period;
  const newRow = new Map<number, number>();
  for (const [row, trace] of spans.trace.entries()) if (keep(trace)) newRow.set(row, newRow.size);
  const rows = [...newRow.keys()];
  const pick = (column: readonly number[]): number[] => rows.map((row) => column[row]!);
  const kept: SpanTable = {
    ops: spans.ops,
    trace: pick(spans.trace),
    parent: rows.map((row) => newRow.get(spans.parent[row]!) ?? Math.min(-1, spans.parent[row]!)),
    node: pick(spans.node),
    op: pick(spans.op),
    startUs: pick(spans.startUs),
    durationUs: pick(spans.durationUs),
  };
  const span = logs?.span.map((row) => newRow.get(row) ?? -1);
  return { ...period, spans: kept, logs: logs && { ...logs, span: span! } };
}

/** The first half of every metric and of the traces. */
function halveHistory(period: Period): Period {
  const metrics: Record<string, Record<string, { timesS: number[]; values: number[] }>> = {};
  for (const [node, table] of Object.entries(period.metrics)) {
    metrics[node] = {};
    for (const [metric, { timesS, values }] of Object.entries(table)) {
      const half = timesS.length >> 1;
      metrics[node][metric] = { timesS: timesS.slice(0, half), values: values.slice(0, half) };
    }
  }
  const traces = new Set(period.spans?.trace ?? []).size;
  return selectTraces({ ...period, metrics }, (trace) => trace < traces / 2);
}
