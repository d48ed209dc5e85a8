import type { Context } from "./context.ts";
import type { Family, Finding } from "./evidence.ts";
import { classifyMetric, type MetricKind } from "./metric-kind.ts";
import { splitAt } from "./series-window.ts";
import { median, quantile } from "./statistics.ts";

const RESOURCES: readonly (MetricKind & Family)[] = ["cpu", "memory", "disk"];

/**
 * Nodes that use more of a resource than they ever did in normal operation. The excess is measured in the system's typical
 * use of the same metric (the median node), not in the node's own spread: on an idle node the spread is nearly zero and a
 * z-score explodes.
 */
export function findResourceExcess(context: Context): Finding[] {
  const { current, normal, nodes } = context.window;
  const findings: Finding[] = [];
  const typical = typicalLevels(context);
  for (let node = 0; node < nodes.length; node++) {
    const best = new Map<Family, Finding>();
    for (const [metric, series] of Object.entries(current.metrics[nodes[node]!] ?? {})) {
      const family = RESOURCES.find((kind) => kind === classifyMetric(metric).kind);
      if (family === undefined || classifyMetric(metric).scope === "host") continue;
      const split = splitAt(series, context.onset);
      const history = normal.metrics[nodes[node]!]?.[metric]?.values ?? split.before;
      const unit = typical.get(metric) ?? 0;
      if (split.after.length === 0 || history.length === 0 || unit <= 0) continue;
      const usual = split.before.length > 0 ? median(split.before) : 0;
      const expected = Math.max(quantile(history, 0.95), usual);
      const after = quantile(split.after, 0.6);
      const magnitude = (after - expected) / unit;
      if (magnitude <= (best.get(family)?.magnitude ?? 0)) continue;
      const evidence = {
        kind: "resource-excess",
        resource: family as MetricKind,
        metric,
        before: usual,
        after,
        typical: unit,
      } as const;
      best.set(family, { node, family, magnitude, evidence });
    }
    findings.push(...best.values());
  }
  return findings;
}

/** The median over nodes of each metric's normal level (its 95th percentile, so that an idle median is not zero). */
function typicalLevels({ window }: Context): Map<string, number> {
  const levels = new Map<string, number[]>();
  for (const node of window.nodes) {
    for (const [metric, series] of Object.entries(window.normal.metrics[node] ?? window.current.metrics[node] ?? {})) {
      if (series.values.length === 0) continue;
      const level = quantile(series.values, 0.95);
      const list = levels.get(metric);
      if (list) list.push(level);
      else levels.set(metric, [level]);
    }
  }
  return new Map([...levels].map(([metric, list]) => [metric, median(list)]));
}
