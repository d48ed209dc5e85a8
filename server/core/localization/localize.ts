import { type Behaviour, findBehaviourChange, observeLogs, observeStructure } from "./behaviour-evidence.ts";
import { DEFAULT_CONFIG, type LocalizerConfig } from "./config.ts";
import { type Context, createContext } from "./context.ts";
import { type EdgeGap, findEdgeGap, observeEdgeGaps } from "./edge-evidence.ts";
import type { Finding } from "./evidence.ts";
import { findExcess, observeServices, type Services } from "./excess-evidence.ts";
import { fuse, type Suspect } from "./fusion.ts";
import { onsetHypotheses } from "./onset.ts";
import { findResourceExcess, observeResources, type ResourceUse } from "./resource-evidence.ts";
import { collectDurations, type Durations } from "./span-durations.ts";
import { findNetworkGap, findSelfTimeExcess } from "./span-evidence.ts";
import { indexSpans, NORMAL, OpNames, type SpanIndex } from "./span-index.ts";
import { blameStarvedCallees } from "./starved-callee.ts";
import type { LogTable, TelemetryWindow } from "./telemetry.ts";

/**
 * Ranks the nodes of a window by how likely each is the cause of the fault, most suspicious first. Pure and deterministic;
 * an empty list means "not enough evidence". Never throws on missing telemetry: what was not observed gives no evidence.
 */
export function localize(window: TelemetryWindow, config: LocalizerConfig = DEFAULT_CONFIG): Suspect[] {
  return fuse(window.nodes, collectFindings(window), config);
}

/**
 * All the evidence there is, before it is weighed: for each node and family the strongest finding over the hypotheses of
 * when the fault began.
 */
export function collectFindings(window: TelemetryWindow): Finding[] {
  const observed = observe(window);
  const strongest = new Map<string, Finding>();
  for (const onset of onsetHypotheses(window)) {
    const context = createContext(window, onset);
    for (const finding of blameStarvedCallees(context, judgeHypothesis(context, observed))) {
      const key = `${finding.node}|${finding.family}`;
      if (finding.magnitude > (strongest.get(key)?.magnitude ?? 0)) strongest.set(key, finding);
    }
  }
  return [...strongest.values()];
}

/** What the telemetry shows, read and counted once for all hypotheses. */
interface Observations {
  readonly resources: readonly ResourceUse[];
  readonly services: readonly Services[];
  readonly edgeGaps: readonly EdgeGap[];
  readonly ops: OpNames;
  readonly durations: readonly Durations[];
  readonly behaviours: readonly Behaviour[];
  /** Total duration of the current root spans, microseconds: all the time that users waited. */
  readonly waitedUs: number;
}

function observe(window: TelemetryWindow): Observations {
  const ops = new OpNames();
  const logs = new Map<SpanIndex, LogTable>();
  const indexes: SpanIndex[] = [];
  for (const period of [window.normal, window.current]) {
    const index = indexSpans(period, ops, period === window.normal ? undefined : window.stepS * 1e6);
    if (index === undefined) continue;
    indexes.push(index);
    if (period.logs) logs.set(index, period.logs);
  }
  return {
    resources: observeResources(window),
    services: observeServices(window),
    edgeGaps: observeEdgeGaps(window),
    ops,
    durations: collectDurations(indexes),
    behaviours: [observeStructure(indexes, ops), observeLogs(indexes, logs)],
    waitedUs: indexes.reduce((total, index) => total + rootTime(index), 0),
  };
}

function rootTime({ table, period }: SpanIndex): number {
  let total = 0;
  for (let row = 0; row < table.op.length; row++) {
    if (period[row] !== NORMAL && table.parent[row]! < 0) total += table.durationUs[row]!;
  }
  return total;
}

function judgeHypothesis(context: Context, observed: Observations): Finding[] {
  const { ops, durations } = observed;
  return [
    ...findResourceExcess(context, observed.resources),
    ...observed.services.flatMap((services) => findExcess(context, services)),
    ...findEdgeGap(context, observed.edgeGaps),
    ...findSelfTimeExcess(context, durations, ops, observed.waitedUs),
    ...findNetworkGap(context, durations),
    ...observed.behaviours.flatMap((behaviour) => findBehaviourChange(context, behaviour, ops)),
  ];
}
