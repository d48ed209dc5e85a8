import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type {
  EdgeSeries,
  LogTable,
  MetricTable,
  Period,
  Series,
  SpanTable,
  TelemetryWindow,
} from "../../server/core/localization/telemetry.ts";

/** `rca-case/1` and `rca-normal/1` files, as far as they are read here. The format is described with the cases. */
interface RawSeries {
  readonly t: number[];
  readonly v: number[];
}

interface RawSpans {
  readonly trace: number[];
  readonly parent: number[];
  readonly node: number[];
  readonly op: number[];
  readonly start_us: number[];
  readonly dur_us: number[];
}

interface RawPeriod {
  readonly topology?: RawTopology;
  readonly metrics?: Record<string, Record<string, RawSeries>>;
  readonly edge_metrics?: (RawSeries & { from: string; to: string; metric: string })[];
  readonly traces?: { ops: string[]; n_traces: number; spans: RawSpans };
  readonly logs?: {
    templates: { node: number; level: string; loc: string; text: string }[];
    events: { t_ms: number[]; node: number[]; tmpl: number[]; trace: number[]; span: number[] };
  };
}

interface RawTopology {
  readonly nodes: string[];
  readonly edges: [string, string][];
  readonly hosts?: Record<string, string>;
}

export interface RawCase extends RawPeriod {
  readonly case_id: string;
  readonly dataset: string;
  readonly fault_time: number;
  readonly step_s: number;
  readonly topology: RawTopology;
  readonly target?: { node: string; metric: string };
  readonly normal_ref?: string;
  readonly label?: { root_cause_node: string; type_class?: string };
}

export type RawNormal = RawPeriod;

export interface CaseEntry {
  readonly case_id: string;
  readonly dataset: string;
  readonly file: string;
  readonly normal_ref?: string;
}

/** Reads `index.json` of a case directory. Throws when it is missing or not a list. */
export function readIndex(directory: string): CaseEntry[] {
  const parsed: unknown = JSON.parse(readFileSync(join(directory, "index.json"), "utf8"));
  if (!Array.isArray(parsed)) throw new Error(`${directory}/index.json is not a list of cases`);
  return parsed as CaseEntry[];
}

/** Reads one `.json` or `.json.gz` file. */
export function readJson<T>(path: string): T {
  const bytes = readFileSync(path);
  return JSON.parse((path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8")) as T;
}

/** The localizer's window of one case. Labels are never looked at. `shiftSamples` moves the stated fault time later. */
export function toWindow(raw: RawCase, normal: RawNormal, shiftSamples = 0): TelemetryWindow {
  const { nodes, edges, hosts } = raw.topology;
  const faultTimeS = raw.fault_time + shiftSamples * raw.step_s;
  return {
    faultTimeS,
    stepS: raw.step_s,
    nodes,
    edges,
    hosts,
    target: raw.target,
    current: toPeriod(raw, nodes, shiftSamples * raw.step_s),
    normal: toPeriod(normal, nodes, 0),
  };
}

function toPeriod(raw: RawPeriod, nodes: readonly string[], shiftS: number): Period {
  const renumber = renumberNodes(raw.topology?.nodes ?? nodes, nodes);
  return {
    metrics: toMetrics(raw.metrics ?? {}),
    edgeMetrics: (raw.edge_metrics ?? []).map(
      ({ from, to, metric, t, v }): EdgeSeries => ({ from, to, metric, series: { timesS: t, values: v } }),
    ),
    spans: raw.traces && toSpans(raw.traces, renumber, shiftS),
    logs: raw.logs && toLogs(raw.logs, renumber, shiftS),
  };
}

/** `undefined` when both number the nodes alike. */
function renumberNodes(own: readonly string[], nodes: readonly string[]): ((node: number) => number) | undefined {
  if (own === nodes || (own.length === nodes.length && own.every((name, i) => name === nodes[i]))) return undefined;
  const target = own.map((name) => nodes.indexOf(name));
  return (node) => target[node] ?? -1;
}

function toMetrics(raw: Record<string, Record<string, RawSeries>>): MetricTable {
  const table: Record<string, Record<string, Series>> = {};
  for (const [node, metrics] of Object.entries(raw)) {
    const row: Record<string, Series> = {};
    for (const [metric, { t, v }] of Object.entries(metrics)) row[metric] = { timesS: t, values: v };
    table[node] = row;
  }
  return table;
}

function toSpans(
  { ops, spans }: { ops: string[]; spans: RawSpans },
  renumber: ((node: number) => number) | undefined,
  shiftS: number,
): SpanTable {
  const shiftUs = shiftS * 1e6;
  return {
    ops,
    trace: spans.trace,
    parent: spans.parent,
    node: renumber ? spans.node.map(renumber) : spans.node,
    op: spans.op,
    startUs: shiftUs === 0 ? spans.start_us : spans.start_us.map((start) => start - shiftUs),
    durationUs: spans.dur_us,
  };
}

function toLogs(
  raw: NonNullable<RawPeriod["logs"]>,
  renumber: ((node: number) => number) | undefined,
  shiftS: number,
): LogTable {
  return {
    templates: raw.templates.map(({ node, level, loc, text }) => ({
      node: renumber ? renumber(node) : node,
      level,
      key: `${level} ${loc || text}`,
      text,
    })),
    timeMs: shiftS === 0 ? raw.events.t_ms : raw.events.t_ms.map((time) => time - shiftS * 1000),
    template: raw.events.tmpl,
    span: raw.events.span,
  };
}
