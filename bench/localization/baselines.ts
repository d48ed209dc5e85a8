import { buildCallGraph } from "../../server/core/localization/graph.ts";
import { mean, median, quantile } from "../../server/core/localization/statistics.ts";
import type { TelemetryWindow } from "../../server/core/localization/telemetry.ts";
import type { Ranked } from "./ranking-metrics.ts";

/** What any method must beat. Each returns every node, ties included. */
export const BASELINES: Readonly<Record<string, (window: TelemetryWindow) => Ranked[]>> = {
  random: (window) => window.nodes.map((node) => ({ node, score: 0 })),
  /** Loudest metric: the largest distance from the normal mean in standard deviations. */
  zScore: (window) => rankByDeviation(window, mean, standardDeviation),
  /** Median and interquartile range instead, as in Pham et al., "BARO", FSE 2024. */
  medianIqr: (window) => rankByDeviation(window, median, (values) => quantile(values, 0.75) - quantile(values, 0.25)),
  traversal: rankByTraversal,
};

function rankByDeviation(
  window: TelemetryWindow,
  centre: (values: readonly number[]) => number,
  spread: (values: readonly number[]) => number,
): Ranked[] {
  return window.nodes.map((node) => ({ node, score: deviation(window, node, centre, spread) }));
}

function deviation(
  window: TelemetryWindow,
  node: string,
  centre: (values: readonly number[]) => number,
  spread: (values: readonly number[]) => number,
  only?: string,
): number {
  let loudest = 0;
  for (const [metric, series] of Object.entries(window.current.metrics[node] ?? {})) {
    if (only !== undefined && metric !== only) continue;
    const history = window.normal.metrics[node]?.[metric]?.values ?? [];
    if (history.length === 0) continue;
    const middle = centre(history);
    const scale = Math.max(spread(history), 1e-9);
    for (let i = 0; i < series.values.length; i++) {
      if (series.timesS[i]! < window.faultTimeS) continue;
      loudest = Math.max(loudest, Math.abs(series.values[i]! - middle) / scale);
    }
  }
  return loudest;
}

/**
 * The last anomalous nodes (z > 3) on the call paths that start at the target, or at the nodes nobody calls, first, by z;
 * then the other anomalous ones; then the rest. With a target only its metric is looked at.
 */
function rankByTraversal(window: TelemetryWindow): Ranked[] {
  const graph = buildCallGraph(window.nodes, window.edges);
  const scores = window.nodes.map((node) => deviation(window, node, mean, standardDeviation, window.target?.metric));
  const isAnomalous = scores.map((score) => score > 3);
  const start = window.nodes.flatMap((node, i) =>
    (window.target ? node === window.target.node : graph.callers[i]!.length === 0) ? [i] : [],
  );
  const reached = new Set(start);
  // A set grows while it is walked, so this visits everything reached through anomalous nodes.
  for (const node of reached) for (const callee of graph.callees[node]!) if (isAnomalous[callee]) reached.add(callee);
  return window.nodes.map((node, i) => {
    const isLast = isAnomalous[i] && reached.has(i) && !graph.callees[i]!.some((callee) => isAnomalous[callee]);
    // z is squashed below one so that it orders within a class and never crosses into the next.
    const within = scores[i]! / (1 + scores[i]!);
    return { node, score: within + (isLast ? 2 : isAnomalous[i] ? 1 : 0) };
  });
}

function standardDeviation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
}
