import type { Context } from "./context.ts";
import type { Evidence, Family, Finding } from "./evidence.ts";
import { type Excess, measureExcess, measureVisible, observeService, type Service, type Suffering } from "./excess.ts";
import { ownShare, reachableFrom } from "./graph.ts";
import { classifyMetric } from "./metric-kind.ts";
import type { Onset } from "./onset.ts";
import type { TelemetryWindow } from "./telemetry.ts";

/** Suspects may add up to this many times what the target shows: its callers' retries and caches hide some of it. */
const VISIBLE_FACTOR = 3;

/** How every node serves its users, in one kind of suffering; by node. */
export interface Services {
  readonly family: Family;
  readonly suffering: Suffering;
  readonly byNode: readonly (Service | undefined)[];
}

/**
 * Reads the indicators that may be broken: the target's kind, or both. Without a target slowness, which runs upward through
 * the callers, is only a symptom.
 */
export function observeServices(window: TelemetryWindow): Services[] {
  const read = (family: Family, suffering: Suffering): Services => ({
    family,
    suffering,
    byNode: window.nodes.map((node) => observeService(window, node, suffering)),
  });
  const broken = window.target && classifyMetric(window.target.metric).kind;
  if (broken === "latency") return [read("latency", "waiting")];
  if (broken === "availability" || broken === "errors") return [read("errors", "losing")];
  return [read("symptom-latency", "waiting"), read("errors", "losing")];
}

/**
 * Excess attribution: what each node adds to the broken indicator, in units users feel (extra latency × requests, lost
 * requests), minus the largest such excess among its callees. Only nodes that the target reaches can have broken it.
 */
export function findExcess(context: Context, { family, suffering, byNode }: Services): Finding[] {
  const { nodes, target } = context.window;
  const excesses = byNode.map((service) => service && measureExcess(service, context.onset));
  const totals = excesses.map((excess) => (excess ? Math.max(0, excess.amount - excess.noise) : 0));
  const newCallees = moveToCallers(context, totals);
  const own = ownShare(context.graph, totals);
  const start = target && context.index.get(target.node);
  const inReach = start === undefined ? undefined : reachableFrom(context.graph, start);
  const suspects = nodes.flatMap((_, node) => (own[node]! > 0 && (inReach?.[node] ?? true) ? [node] : []));
  const largest = Math.max(...suspects.map((node) => own[node]!));
  const scale = target ? visibleScale(start === undefined ? undefined : byNode[start], context.onset, largest) : 1;
  // The front door carries the most: its volume turns seconds and requests into shares of what all users see.
  const volume = Math.max(...excesses.map((excess) => excess?.volume ?? 0));
  if (volume <= 0) return [];
  return suspects.map((node) => {
    const share = (own[node]! * scale) / volume;
    const callee = newCallees.get(node);
    const evidence: Evidence =
      callee === undefined
        ? { kind: suffering === "waiting" ? "excess-latency" : "lost-requests", share, ...detailOf(excesses[node]) }
        : { kind: "new-dependency", callee: nodes[callee]!, share };
    return { node, family, magnitude: share, evidence };
  });
}

/**
 * No suspect can have broken the target by more than the target shows. All are scaled alike, so that noise far from the
 * users is not reported while the order stands.
 */
function visibleScale(target: Service | undefined, onset: Onset, largest: number): number {
  return target === undefined ? 0 : Math.min(1, (VISIBLE_FACTOR * measureVisible(target, onset)) / largest);
}

function detailOf(excess: Excess | undefined): { metric: string; before: number; after: number; amount: number } {
  const { metric, before, after, amount } = excess ?? { metric: "", before: 0, after: 0, amount: 0 };
  return { metric, before, after, amount };
}

/**
 * A dependency that did not exist before the fault cannot be its cause: whoever began to call it changed. Its excess becomes
 * its callers' own. Mutates `totals`; returns which node took over from which dependency.
 */
function moveToCallers(context: Context, totals: number[]): Map<number, number> {
  const { graph } = context;
  const moved = new Map<number, number>();
  for (let node = 0; node < graph.size; node++) {
    const callers = graph.callers[node]!;
    if (totals[node]! <= 0 || callers.length === 0 || existedBefore(context, node)) continue;
    for (const caller of callers) {
      totals[caller] = Math.max(totals[caller]!, totals[node]! / callers.length);
      moved.set(caller, node);
    }
    totals[node] = 0;
  }
  return moved;
}

function existedBefore({ window, onset }: Context, node: number): boolean {
  const name = window.nodes[node]!;
  for (const { values } of Object.values(window.normal.metrics[name] ?? {})) {
    if (values.some((value) => value !== 0)) return true;
  }
  for (const { timesS, values } of Object.values(window.current.metrics[name] ?? {})) {
    if (values.some((value, i) => value !== 0 && timesS[i]! < onset.quietUntilS)) return true;
  }
  return false;
}
