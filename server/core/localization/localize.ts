import { findLogChange, findStructureChange } from "./behaviour-evidence.ts";
import { DEFAULT_CONFIG, type LocalizerConfig } from "./config.ts";
import { createContext } from "./context.ts";
import { findEdgeGap } from "./edge-evidence.ts";
import type { Finding } from "./evidence.ts";
import { findExcess } from "./excess-evidence.ts";
import { fuse, type Suspect } from "./fusion.ts";
import { findResourceExcess } from "./resource-evidence.ts";
import { findNetworkGap, findSelfTimeExcess } from "./span-evidence.ts";
import { indexSpans, OpNames, type SpanIndex } from "./span-index.ts";
import type { LogTable, TelemetryWindow } from "./telemetry.ts";

/**
 * Ranks the nodes of a window by how likely each is the cause of the fault, most suspicious first. Pure and deterministic;
 * an empty list means "not enough evidence". Never throws on missing telemetry: what was not observed gives no evidence.
 */
export function localize(window: TelemetryWindow, config: LocalizerConfig = DEFAULT_CONFIG): Suspect[] {
  return fuse(window.nodes, collectFindings(window), config);
}

/** All the evidence there is, before it is weighed. */
export function collectFindings(window: TelemetryWindow): Finding[] {
  const context = createContext(window);
  const ops = new OpNames();
  const logs = new Map<SpanIndex, LogTable>();
  const indexes: SpanIndex[] = [];
  for (const period of [window.normal, window.current]) {
    const index = indexSpans(period, ops, period === window.normal);
    if (index === undefined) continue;
    indexes.push(index);
    if (period.logs) logs.set(index, period.logs);
  }
  return [
    ...findResourceExcess(context),
    ...findExcess(context),
    ...findEdgeGap(context),
    ...findSelfTimeExcess(indexes, ops),
    ...findNetworkGap(context, indexes),
    ...findStructureChange(context, indexes, ops),
    ...findLogChange(context, indexes, logs, ops),
  ];
}
