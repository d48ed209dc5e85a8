import type { State } from "../core/index.ts";

/** Silence becomes worth showing past this many intervals. */
const overdueIntervals = 1.5;
/** After that the suspicion says nothing new any more. */
const settledMs = 30_000;
const limit = 500;

/** What changes by the mere passing of time: nodes that are overdue, and the clusters they belong to. Nobody reports silence. */
export function listRestless(state: State, nowMs: number): Set<string> {
  const keys = new Set<string>();
  for (const node of state.live.nodes.values()) {
    if (keys.size >= limit) break;
    const silentMs = nowMs - node.lastFrameAtMs;
    if (silentMs < overdueIntervals * node.detector.intervalMs || silentMs > settledMs) continue;
    keys.add(`node:${node.id}`);
    for (const { cluster } of node.redis) keys.add(`redis:${cluster}`);
    if (node.postgres !== null) keys.add(`cluster:${node.postgres.cluster}`);
  }
  return keys;
}
