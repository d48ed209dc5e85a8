import { falseAlarmCurve, type NodeLive, type NodeRecord, suspicion } from "../../core/index.ts";
import { limits, type NodeDetail, type NodeView, type RefusedParts } from "../../protocol/index.ts";
import { nodeHealth, type ProjectionContext, toWallMs } from "./context.ts";

/** The row of one node; null when there is no such node. */
export function projectNode(context: ProjectionContext, id: string): NodeView | null {
  const record = context.state.durable.nodes.get(id);
  if (record === undefined) return null;
  const live = context.state.live.nodes.get(id) ?? null;
  const health = nodeHealth(context, id);
  const suspected = suspicionOf(context, live);
  const cluster = clusterOf(context, id, live);
  return {
    entity: "node",
    id,
    zone: record.zone,
    labels: record.labels,
    state: health.state,
    reasons: health.reasons,
    role: roleOf(context, record, live, cluster),
    cluster,
    connected: live?.connected ?? false,
    agentVersion: live?.agentVersion ?? null,
    lastSeenAt: live === null ? null : toWallMs(context.now, live.lastFrameAtMs),
    heartbeatMs: live?.detector.intervalMs ?? limits.nodeHeartbeatMs,
    suspicion: round(suspected.level, 2),
    suspicionThreshold: round(suspected.threshold, 2),
    host: live?.host ?? null,
    maintenance: record.maintenance,
    stateSince: context.memory.since(`node:${id}`, health.state, context.now.wallMs),
  };
}

/** All of one node: for its page. */
export function projectNodeDetail(
  context: ProjectionContext,
  id: string,
  refused: RefusedParts | null,
): NodeDetail | null {
  const view = projectNode(context, id);
  const record = context.state.durable.nodes.get(id);
  if (view === null || record === undefined) return null;
  const live = context.state.live.nodes.get(id) ?? null;
  return {
    ...view,
    enrolledAt: record.enrolledAt,
    publicKey: record.publicKey,
    address: live?.address ?? null,
    bootId: live?.bootId ?? null,
    clockOffsetMs: live?.clockOffsetMs == null ? null : round(live.clockOffsetMs, 1),
    agentLoopLagMs: live?.agentLoopLagMs ?? null,
    postgres: live?.postgres ?? null,
    peers: live?.peers ?? [],
    seenBy: seenBy(context, id),
    checks: live?.checks ?? [],
    workloads: live?.workloads ?? [],
    refused,
    beats: context.memory.beats(id),
    detectorCurve: live === null ? [] : curveOf(live),
    detectorThresholdMs: live === null ? 0 : Math.round(live.detector.thresholdMs),
  };
}

/** The cluster whose member the node is, or whose data it uses. */
export function clusterOf(context: ProjectionContext, id: string, live: NodeLive | null): string | null {
  for (const cluster of context.state.durable.clusters.values()) if (id in cluster.members) return cluster.id;
  return live?.postgres?.cluster ?? live?.workloads[0]?.cluster ?? null;
}

function roleOf(
  context: ProjectionContext,
  record: NodeRecord,
  live: NodeLive | null,
  clusterId: string | null,
): NodeView["role"] {
  const cluster = clusterId === null ? undefined : context.state.durable.clusters.get(clusterId);
  if (cluster !== undefined && record.id in cluster.members)
    return cluster.primary === record.id ? "primary" : "standby";
  return (live?.workloads.length ?? 0) > 0 || record.labels.role === "application" ? "application" : "node";
}

/** The level at the threshold silence is what the screen's ring is filled against. */
function suspicionOf(context: ProjectionContext, live: NodeLive | null): { level: number; threshold: number } {
  if (live === null || live.detector.bootId === null) return { level: 0, threshold: 1 };
  const { stalls } = context.state.live.self;
  const { detector } = live;
  const threshold = suspicion(detector, detector.lastArrivalMs + detector.thresholdMs).level;
  return { level: suspicion(detector, context.now.monoMs, stalls).level, threshold: Math.max(0.01, threshold) };
}

function seenBy(context: ProjectionContext, id: string): NodeDetail["seenBy"] {
  const sights: NodeDetail["seenBy"][number][] = [];
  for (const observer of context.state.live.nodes.values()) {
    for (const sight of observer.peers) if (sight.node === id) sights.push({ ...sight, observer: observer.id });
  }
  return sights;
}

function curveOf(live: NodeLive): NodeDetail["detectorCurve"] {
  if (live.detector.bootId === null) return [];
  return falseAlarmCurve(live.detector, 24).map((point) => ({
    silenceMs: Math.round(point.thresholdMs),
    falseAlarmsPerDay: point.falseAlarmsPerNodeDay,
  }));
}

function round(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}
