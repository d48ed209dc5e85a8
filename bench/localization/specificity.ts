import { join } from "node:path";
import type { LocalizerConfig } from "../../server/core/localization/config.ts";
import { localize } from "../../server/core/localization/localize.ts";
import type {
  EdgeSeries,
  MetricTable,
  Period,
  Series,
  Target,
  TelemetryWindow,
} from "../../server/core/localization/telemetry.ts";
import { type RawCase, type RawNormal, readIndex, readJson, toWindow } from "./case-file.ts";
import { selectTraces } from "./stress.ts";

const CUTS = [0.5, 0.6, 0.7, 0.8, 0.9];

/** Windows with no fault in them: the right answer is an empty list. */
export interface NormalWindow {
  readonly set: string;
  readonly protocol: "tail" | "short";
  readonly window: TelemetryWindow;
}

/**
 * Cuts every normal file at 50..90 percent. `tail` takes all that follows as the abnormal window (the protocol of Hardt et
 * al., "The PetShop Dataset", CLeaR 2024); `short` only as many samples as a case has. Each target that the set's cases
 * name is asked about.
 */
export function buildNormalWindows(directory: string): NormalWindow[] {
  const subjects = new Map<string, { set: string; raw: RawCase; targets: Map<string, Target | undefined> }>();
  for (const entry of readIndex(directory)) {
    if (entry.dataset.endsWith("-temporal")) continue;
    const raw = readJson<RawCase>(join(directory, entry.file));
    const reference = raw.normal_ref ?? entry.normal_ref;
    if (reference === undefined) continue;
    const subject = subjects.get(reference) ?? { set: entry.dataset, raw, targets: new Map() };
    subject.targets.set(JSON.stringify(raw.target ?? null), raw.target);
    subjects.set(reference, subject);
  }
  const windows: NormalWindow[] = [];
  for (const [reference, { set, raw, targets }] of subjects) {
    const normal = readJson<RawNormal>(join(directory, reference));
    for (const target of targets.values()) {
      for (const cut of CUTS) {
        const base = { ...toWindow(raw, normal), target };
        windows.push({ set, protocol: "tail", window: cutWindow(base, cut, Number.POSITIVE_INFINITY) });
        windows.push({ set, protocol: "short", window: cutWindow(base, cut, 5) });
      }
    }
  }
  return windows;
}

/** The share of windows that were answered with an empty list, by protocol and set. */
export function scoreSpecificity(windows: readonly NormalWindow[], config?: LocalizerConfig): Record<string, number> {
  const groups = new Map<string, boolean[]>();
  for (const { set, protocol, window } of windows) {
    const isEmpty = localize(window, config).length === 0;
    for (const name of [`${set} ${protocol}`, set, "all"]) groups.set(name, [...(groups.get(name) ?? []), isEmpty]);
  }
  return Object.fromEntries([...groups].map(([name, list]) => [name, list.filter(Boolean).length / list.length]));
}

function cutWindow(base: TelemetryWindow, cut: number, length: number): TelemetryWindow {
  const times = Object.values(base.normal.metrics).flatMap((metrics) =>
    Object.values(metrics).map(({ timesS }) => timesS),
  );
  const longest = times.reduce((best, list) => (list.length > best.length ? list : best), []);
  const at = Math.floor(longest.length * cut);
  const faultTimeS = longest[at]!;
  const fromS = longest[Math.max(0, at - 4)]!;
  const untilS = longest[Math.min(longest.length - 1, at + length - 1)]!;
  const isHead = (time: number): boolean => time < faultTimeS;
  const isTail = (time: number): boolean => time >= fromS && time <= untilS;
  const { normal } = base;
  return {
    ...base,
    faultTimeS,
    normal: { ...filterPeriod(normal, isHead), ...sliceTraces(normal, 0, cut) },
    current: { ...filterPeriod(normal, isTail), ...sliceTraces(normal, cut, 1) },
  };
}

function filterPeriod(period: Period, keep: (timeS: number) => boolean): Period {
  const filter = ({ timesS, values }: Series): Series => ({
    timesS: timesS.filter(keep),
    values: values.filter((_, i) => keep(timesS[i]!)),
  });
  const metrics: Record<string, Record<string, Series>> = {};
  for (const [node, table] of Object.entries(period.metrics)) {
    metrics[node] = Object.fromEntries(Object.entries(table).map(([metric, series]) => [metric, filter(series)]));
  }
  const edgeMetrics = period.edgeMetrics.map((edge): EdgeSeries => ({ ...edge, series: filter(edge.series) }));
  return { metrics: metrics satisfies MetricTable, edgeMetrics };
}

/** The traces between two shares of the table and their log lines, counted from the first of them. */
function sliceTraces({ spans, logs }: Period, from: number, to: number): Pick<Period, "spans" | "logs"> {
  if (spans === undefined) return {};
  const traces = [...new Set(spans.trace)];
  const kept = new Set(traces.slice(Math.floor(traces.length * from), Math.floor(traces.length * to)));
  const sliced = selectTraces({ metrics: {}, edgeMetrics: [], spans, logs }, (trace) => kept.has(trace));
  const originUs = Math.min(...sliced.spans!.startUs);
  const startUs = sliced.spans!.startUs.map((start) => start - originUs);
  const timeMs = sliced.logs?.timeMs.map((time) => time - originUs / 1000);
  return { spans: { ...sliced.spans!, startUs }, logs: sliced.logs && { ...sliced.logs, timeMs: timeMs! } };
}
