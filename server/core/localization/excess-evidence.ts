import type { Context } from "./context.ts";
import type { Finding } from "./evidence.ts";
import { ownShare, reachableFrom } from "./graph.ts";
import { classifyMetric, type MetricKind } from "./metric-kind.ts";
import { type SplitSeries, splitAt } from "./series-window.ts";
import { mean, median, quantile } from "./statistics.ts";
import type { Series } from "./telemetry.ts";

/** A node's total excess over the after-window, in what users feel: seconds waited, or requests lost. */
interface Excess {
  readonly metric: string;
  readonly before: number;
  readonly after: number;
  readonly total: number;
}

/**
 * Excess attribution: what each node adds to the broken indicator, in units users feel (extra latency × requests, lost
 * requests), minus the largest such excess among its callees. Only nodes that the target reaches can have broken it.
 * With no target both indicators are judged over the whole graph.
 */
export function findExcess(context: Context): Finding[] {
  const { target, nodes } = context.window;
  const start = target && context.index.get(target.node);
  const inReach = start === undefined ? nodes.map(() => true) : reachableFrom(context.graph, start);
  const broken = target && classifyMetric(target.metric).kind;
  const findings: Finding[] = [];
  if (broken === undefined || broken === "latency") findings.push(...attribute(context, "latency", inReach));
  if (broken === undefined || broken === "availability" || broken === "errors") {
    findings.push(...attribute(context, "errors", inReach));
  }
  return findings;
}

function attribute(context: Context, family: "latency" | "errors", inReach: readonly boolean[]): Finding[] {
  const { nodes } = context.window;
  const excesses = nodes.map((_, node) => measureExcess(context, node, family));
  const totals = excesses.map((excess) => excess?.total ?? 0);
  const ceiling = Math.max(...totals, Number.MIN_VALUE);
  const own = ownShare(context.graph, totals);
  const transferred = transferNewDependencies(context, own);
  return nodes.flatMap((_, node): Finding[] => {
    const excess = excesses[node];
    if (!inReach[node] || own[node]! <= 0) return [];
    const share = own[node]! / ceiling;
    const fallback = { metric: "", before: 0, after: 0 };
    const { metric, before, after } = excess ?? fallback;
    const moved = transferred.get(node);
    const evidence = moved
      ? ({ kind: "new-dependency", callee: nodes[moved]!, requests: own[node]! } as const)
      : family === "latency"
        ? ({ kind: "excess-latency", metric, before, after, addedMs: own[node]! * 1000, share } as const)
        : ({ kind: "lost-requests", metric, before, after, lost: own[node]!, share } as const);
    return [{ node, family, magnitude: own[node]!, evidence }];
  });
}

/** Which series to read for a node: the most "average" server-side one of the kind. */
function pickMetric(
  table: Readonly<Record<string, Series>> | undefined,
  kinds: readonly MetricKind[],
): string | undefined {
  let best: string | undefined;
  let bestRank = Number.POSITIVE_INFINITY;
  for (const name of Object.keys(table ?? {})) {
    const meaning = classifyMetric(name);
    if (!kinds.includes(meaning.kind) || meaning.side === "client" || meaning.scope === "host") continue;
    if (meaning.preference < bestRank) {
      best = name;
      bestRank = meaning.preference;
    }
  }
  return best;
}

function measureExcess(context: Context, node: number, family: "latency" | "errors"): Excess | undefined {
  const { current, normal, nodes, faultTimeS } = context.window;
  const table = current.metrics[nodes[node]!];
  const metric = pickMetric(table, family === "latency" ? ["latency"] : ["availability"]);
  const requests = pickMetric(table, ["requests"]);
  if (metric === undefined || requests === undefined) return undefined;
  const values = splitAt(table![metric], faultTimeS);
  if (values.after.length === 0) return undefined;
  const load = splitAt(table![requests], faultTimeS);
  const history = splitAt(normal.metrics[nodes[node]!]?.[metric], Number.NEGATIVE_INFINITY);
  const historicLoad = splitAt(normal.metrics[nodes[node]!]?.[requests], Number.NEGATIVE_INFINITY);
  const sign = family === "latency" ? 1 : -1;
  const unit = family === "latency" ? 1 : 0.01;
  const expected = expectation(history.after, values.before, sign);
  const total = mean(pointwiseExcess(values, load, expected, sign * unit));
  const usual = pointwiseExcess(history, historicLoad, expectation(history.after, [], sign), sign * unit);
  const noise = quantile(windowMeans(usual, values.after.length), 0.95) || 0;
  return { metric, before: expected, after: median(values.after), total: Math.max(0, total - noise) };
}

/** What each sample costs the users: requests × how much worse than expected. */
function pointwiseExcess(values: SplitSeries, load: SplitSeries, expected: number, unit: number): number[] {
  const loadAt = new Map(load.afterTimesS.map((time, i) => [time, load.after[i]!]));
  return values.after.map(
    (value, i) => (loadAt.get(values.afterTimesS[i]!) ?? 0) * Math.max(0, unit * (value - expected)),
  );
}

/** Means over consecutive windows, as long as the one judged but at most a quarter of the history. */
function windowMeans(values: readonly number[], length: number): number[] {
  const size = Math.max(1, Math.min(length, values.length >> 2));
  const means: number[] = [];
  for (let start = 0; start + size <= values.length; start += size) means.push(mean(values.slice(start, start + size)));
  return means;
}

/** The worse of normal operation and of the minutes before: what was already so cannot be this fault's doing. */
function expectation(history: readonly number[], before: readonly number[], sign: number): number {
  const known = [history, before].filter((values) => values.length > 0).map((values) => sign * median(values));
  if (known.length === 0) return sign > 0 ? 0 : 100;
  return sign * Math.max(...known);
}

/**
 * A dependency that did not exist before the fault cannot be its cause: whoever began to call it changed. Its excess moves
 * to the callers. Mutates `own`; returns which node took over from which dependency.
 */
function transferNewDependencies(context: Context, own: number[]): Map<number, number> {
  const { graph } = context;
  const moved = new Map<number, number>();
  for (let node = 0; node < graph.size; node++) {
    const callers = graph.callers[node]!;
    if (own[node]! <= 0 || callers.length === 0 || existedBefore(context, node)) continue;
    for (const caller of callers) {
      own[caller]! += own[node]! / callers.length;
      moved.set(caller, node);
    }
    own[node] = 0;
  }
  return moved;
}

function existedBefore({ window }: Context, node: number): boolean {
  const name = window.nodes[node]!;
  for (const series of Object.values(window.normal.metrics[name] ?? {})) {
    if (series.values.some((value) => value !== 0)) return true;
  }
  for (const series of Object.values(window.current.metrics[name] ?? {})) {
    if (splitAt(series, window.faultTimeS).before.some((value) => value !== 0)) return true;
  }
  return false;
}
