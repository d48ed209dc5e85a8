"use client";
import { useEffect, useMemo } from "react";
import type { ClusterView, NodeView } from "../../server/protocol/index.ts";
import { useSeries } from "../data/queries.ts";
import { useLive } from "../live/live-provider.tsx";
import { serverNow } from "../live/use-now.ts";
import { createSeriesSource, type SeriesSource } from "./series-source.ts";

/** Live points closer together than this are one: a chart shows seconds. */
const LIVE_STEP_MS = 900;

/** History from the server, its live end from the feed. */
export function useLiveSeries(kind: "node" | "cluster", id: string, rangeMs: number, stepMs = 1_000): SeriesSource {
  const { store } = useLive();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another subject is another window
  const source = useMemo(() => createSeriesSource(rangeMs), [kind, id, rangeMs]);
  const history = useSeries(kind === "node" ? "nodes" : "clusters", id, rangeMs, stepMs).data;
  useEffect(() => {
    if (history !== undefined) source.load(history);
  }, [history, source]);
  useEffect(() => {
    let lastAt = 0;
    const take = () => {
      const now = serverNow();
      if (now - lastAt < LIVE_STEP_MS) return;
      const values = kind === "node" ? nodeValues(store.get("node", id)) : clusterValues(store.get("cluster", id));
      if (values === null) return;
      lastAt = now;
      source.append(now, values);
    };
    take();
    return store.subscribe(kind, id, take);
  }, [store, kind, id, source]);
  return source;
}

export function clusterValues(cluster: ClusterView | undefined): Record<string, number | null> | null {
  if (cluster === undefined) return null;
  const values: Record<string, number | null> = {
    writesPerSecond: cluster.workload?.writesPerSecond ?? null,
    latencyMeanMs: cluster.workload?.latencyMeanMs ?? null,
    latencyP95Ms: cluster.workload?.latencyP95Ms ?? null,
  };
  for (const member of cluster.members) {
    if (member.node === cluster.primary) continue;
    values[`lagBytes:${member.node}`] = member.lagBytes;
    values[`lagMs:${member.node}`] = member.lagMs;
  }
  return values;
}

function nodeValues(node: NodeView | undefined): Record<string, number | null> | null {
  if (node === undefined || !node.connected) return null;
  const { host } = node;
  return {
    cpu: host?.cpu ?? null,
    load1: host?.load1 ?? null,
    memoryUsedBytes: host?.memoryUsedBytes ?? null,
    diskUsedBytes: host?.diskUsedBytes ?? null,
    networkRxBytesPerSecond: host?.networkRxBytesPerSecond ?? null,
    networkTxBytesPerSecond: host?.networkTxBytesPerSecond ?? null,
    suspicion: node.suspicion,
  };
}
