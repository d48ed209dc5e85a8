import type { Context } from "./context.ts";
import type { Family, Finding } from "./evidence.ts";
import { classifyMetric, type MetricKind } from "./metric-kind.ts";
import { onsetHypotheses } from "./onset.ts";
import { splitAt } from "./series-window.ts";
import { median, quantile } from "./statistics.ts";
import type { Series, TelemetryWindow } from "./telemetry.ts";

const RESOURCES: readonly (MetricKind & Family)[] = ["cpu", "memory", "disk"];

/** A node's use of a resource is at its peak above this share of its samples. */
const PEAK = 0.95;

/** A node that uses this many times of what it used stands out by its own measure, too. */
export const timesItsNormal = 1.4;

/** One node's use of one resource. */
export interface ResourceUse {
  readonly node: number;
  readonly family: MetricKind & Family;
  readonly metric: string;
  readonly series: Series;
  /** Its peak in normal operation; undefined when it has no history. */
  readonly peak: number | undefined;
  /** The peak of the system's median node in the same metric: the unit of excess. */
  readonly typical: number;
}

/** Reads the service-level resource metrics of every node and what is normal for each. */
export function observeResources(window: TelemetryWindow): ResourceUse[] {
  const uses: Omit<ResourceUse, "typical">[] = [];
  const [firstOnset] = onsetHypotheses(window);
  for (const [node, name] of window.nodes.entries()) {
    for (const [metric, series] of Object.entries(window.current.metrics[name] ?? {})) {
      const { kind, scope } = classifyMetric(metric);
      const family = RESOURCES.find((resource) => resource === kind);
      if (family === undefined || scope === "host") continue;
      const normal = window.normal.metrics[name]?.[metric]?.values ?? [];
      // A fault that comes right after the start has little behind it; what went just before is better than nothing.
      const history = normal.length > 0 ? normal : splitAt(series, firstOnset).before;
      uses.push({ node, family, metric, series, peak: history.length > 0 ? quantile(history, PEAK) : undefined });
    }
  }
  const peaks = new Map<string, number[]>();
  for (const { metric, peak } of uses) if (peak !== undefined) peaks.set(metric, [...(peaks.get(metric) ?? []), peak]);
  const typical = new Map([...peaks].map(([metric, list]) => [metric, median(list)]));
  return uses.map((use) => ({ ...use, typical: typical.get(use.metric) ?? 0 }));
}

/**
 * Nodes that use more of a resource than they do at their normal peak. The excess is measured in the system's typical use of
 * the same metric, not in the node's own spread: on an idle node the spread is nearly zero and a z-score explodes.
 */
export function findResourceExcess({ onset }: Context, uses: readonly ResourceUse[]): Finding[] {
  const strongest = new Map<string, Finding>();
  for (const { node, family, metric, series, peak, typical } of uses) {
    const { before, after } = splitAt(series, onset);
    if (after.length === 0 || typical <= 0 || (peak === undefined && before.length === 0)) continue;
    const usual = before.length > 0 ? median(before) : (peak ?? 0);
    // Somewhat above the median, so that a fault that ends before the window does still shows.
    const now = quantile(after, 0.6);
    const magnitude = (now - Math.max(peak ?? usual, usual)) / typical;
    const key = `${node}|${family}`;
    if (magnitude <= (strongest.get(key)?.magnitude ?? 0)) continue;
    const evidence = { kind: "resource-excess", resource: family, metric, before: usual, after: now, typical } as const;
    strongest.set(key, { node, family, magnitude, evidence });
  }
  return [...strongest.values()];
}
