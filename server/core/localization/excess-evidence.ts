import type { Context } from "./context.ts";
import type { Evidence, Finding } from "./evidence.ts";
import { ownShare, reachableFrom } from "./graph.ts";
import { classifyMetric, type MetricKind } from "./metric-kind.ts";
import type { Onset } from "./onset.ts";
import { type SplitSeries, splitAt } from "./series-window.ts";
import { mean, median, overWindows, quantile, trimmedMean } from "./statistics.ts";
import type { Series } from "./telemetry.ts";

type ExcessFamily = "latency" | "symptom-latency" | "errors";

const NOISE = 0.99;
/** Takes a whole series as "after". */
const ALL: Onset = { quietUntilS: Number.NEGATIVE_INFINITY, startS: Number.NEGATIVE_INFINITY, isEarly: true };

/** A node's total excess over the after-window, in what users feel: seconds waited, or requests lost. */
interface Excess {
  readonly metric: string;
  readonly before: number;
  readonly after: number;
  /** Per sampling period: seconds waited, or requests lost, beyond expectation and the node's usual noise. */
  readonly total: number;
  /** Per sampling period, in normal operation: seconds waited, or requests served. */
  readonly volume: number;
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
  // Without a broken indicator to explain, slowness is only a symptom that runs upward through the callers.
  if (broken === undefined) findings.push(...attribute(context, "symptom-latency", inReach));
  if (broken === "latency") findings.push(...attribute(context, "latency", inReach));
  if (broken === undefined || broken === "availability" || broken === "errors") {
    findings.push(...attribute(context, "errors", inReach));
  }
  return findings;
}

function attribute(context: Context, family: ExcessFamily, inReach: readonly boolean[]): Finding[] {
  const { nodes } = context.window;
  const excesses = nodes.map((_, node) => measureExcess(context, node, family));
  const own = ownShare(
    context.graph,
    excesses.map((excess) => excess?.total ?? 0),
  );
  const newCallees = moveToCallers(context, own);
  // The front door carries the most: its volume turns seconds and requests into shares of what all users see.
  const volume = Math.max(...excesses.map((excess) => excess?.volume ?? 0));
  if (volume <= 0) return [];
  return nodes.flatMap((_, node): Finding[] => {
    if (!inReach[node] || own[node]! <= 0) return [];
    const share = own[node]! / volume;
    const { metric, before, after } = excesses[node] ?? { metric: "", before: 0, after: 0 };
    const callee = newCallees.get(node);
    const kind = callee !== undefined ? "new-dependency" : family !== "errors" ? "excess-latency" : "lost-requests";
    const evidence: Evidence =
      kind === "new-dependency"
        ? { kind, callee: nodes[callee!]!, share }
        : { kind, metric, before, after, amount: own[node]!, share };
    return [{ node, family, magnitude: share, evidence }];
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

function measureExcess(context: Context, node: number, family: ExcessFamily): Excess | undefined {
  const { current, normal, nodes } = context.window;
  const { onset } = context;
  const table = current.metrics[nodes[node]!];
  const metric = pickMetric(table, family !== "errors" ? ["latency"] : ["availability"]);
  const requests = pickMetric(table, ["requests"]);
  if (metric === undefined || requests === undefined) return undefined;
  const values = splitAt(table![metric], onset);
  if (values.after.length === 0) return undefined;
  const load = splitAt(table![requests], onset);
  const history = splitAt(normal.metrics[nodes[node]!]?.[metric], ALL);
  const historicLoad = splitAt(normal.metrics[nodes[node]!]?.[requests], ALL);
  const sign = family !== "errors" ? 1 : -1;
  const unit = family !== "errors" ? 1 : 0.01;
  const expected = expectation(history.after, values.before, sign);
  const total = persistent(pointwiseExcess(values, load, expected, sign * unit));
  const usual = pointwiseExcess(history, historicLoad, expectation(history.after, [], sign), sign * unit);
  const noise = quantile(overWindows(usual, values.after.length, persistent), NOISE) || 0;
  const volume = family !== "errors" ? mean(pointwiseExcess(history, historicLoad, 0, 1)) : mean(historicLoad.after);
  return {
    metric,
    before: expected,
    after: median(values.after),
    total: Math.max(0, total - noise),
    volume: volume || 0,
  };
}

/** What each sample costs the users: requests × how much worse than expected. */
function pointwiseExcess(values: SplitSeries, load: SplitSeries, expected: number, unit: number): number[] {
  const loadAt = new Map(load.afterTimesS.map((time, i) => [time, load.after[i]!]));
  return values.after.map(
    (value, i) => (loadAt.get(values.afterTimesS[i]!) ?? 0) * Math.max(0, unit * (value - expected)),
  );
}

/** A fault lasts: the mean without the highest and lowest fifth, so that one bad moment in a long window is not one. */
function persistent(values: readonly number[]): number {
  return trimmedMean(values, 0.2);
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
function moveToCallers(context: Context, own: number[]): Map<number, number> {
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

function existedBefore({ window, onset }: Context, node: number): boolean {
  const name = window.nodes[node]!;
  for (const series of Object.values(window.normal.metrics[name] ?? {})) {
    if (series.values.some((value) => value !== 0)) return true;
  }
  for (const series of Object.values(window.current.metrics[name] ?? {})) {
    if (splitAt(series, onset).before.some((value) => value !== 0)) return true;
  }
  return false;
}
