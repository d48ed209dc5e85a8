import { createDetector, recordArrival } from "../detection/accrual.ts";
import { type Draft, getCluster, getNode, patchCluster, putCluster } from "../draft.ts";
import type { Event, HeartbeatReceived } from "../event.ts";
import type { ClusterRecord, MemberRecord } from "../recovery/types.ts";
import { declareRedis } from "../redis/observe.ts";
import type { PostgresStatus } from "../replication/status.ts";
import type { ClusterLive } from "../state.ts";
import type { NodeLive } from "./types.ts";

/** Beats of a cluster's member come four times a second; of any other node once. */
const memberIntervalMs = 250;
const nodeIntervalMs = 1_000;

/** Takes what was seen into the live state, and records what a node newly declares (a cluster, a member, an address). */
export function observe(draft: Draft, event: Event): void {
  switch (event.kind) {
    case "agent-connected":
      return observeConnect(draft, event);
    case "agent-disconnected":
      return observeDisconnect(draft, event);
    case "heartbeat-received":
      return observeHeartbeat(draft, event);
    default:
      return;
  }
}

function ensureNodeLive(draft: Draft, id: string): NodeLive {
  const { live, durable } = draft.state;
  const known = live.nodes.get(id);
  if (known !== undefined) return known;
  const fresh: NodeLive = {
    id,
    connected: false,
    sessionId: null,
    bootId: null,
    agentVersion: null,
    address: null,
    connectedAtMs: draft.now.monoMs,
    closedAtMs: null,
    closeReason: null,
    lastFrameAtMs: Number.NEGATIVE_INFINITY,
    detector: createDetector({
      intervalMs: nodeIntervalMs,
      mistakesPerNodeDay: durable.policy.falseAlarmsPerNodeDay,
      minSilenceMs: Math.max(durable.policy.minSilenceMs, 3 * nodeIntervalMs),
      maxSilenceMs: Math.max(durable.policy.maxSilenceMs, 6 * nodeIntervalMs),
    }),
    lastBeatSeq: -1,
    clockOffsetMs: null,
    agentLoopLagMs: null,
    host: null,
    postgres: null,
    redis: [],
    statusAtMs: Number.NEGATIVE_INFINITY,
    peers: [],
    checks: [],
    workloads: [],
  };
  live.nodes.set(id, fresh);
  return fresh;
}

function observeConnect(draft: Draft, event: Extract<Event, { kind: "agent-connected" }>): void {
  if (getNode(draft, event.node) === null) return;
  const node = ensureNodeLive(draft, event.node);
  node.connected = true;
  node.sessionId = event.sessionId;
  node.bootId = event.bootId;
  node.agentVersion = event.version;
  node.address = event.address;
  node.connectedAtMs = draft.now.monoMs;
  node.closedAtMs = null;
  node.closeReason = null;
  node.lastFrameAtMs = draft.now.monoMs;
  node.detector.lastArrivalMs = Math.max(node.detector.lastArrivalMs, draft.now.monoMs);
  touchNode(draft, node);
}

function observeDisconnect(draft: Draft, event: Extract<Event, { kind: "agent-disconnected" }>): void {
  const node = draft.state.live.nodes.get(event.node);
  // A newer session may have replaced this one: its end says nothing about the agent.
  if (node === undefined || node.sessionId !== event.sessionId) return;
  node.connected = false;
  node.sessionId = null;
  node.closedAtMs = draft.now.monoMs;
  node.closeReason = event.reason;
  touchNode(draft, node);
}

function observeHeartbeat(draft: Draft, event: HeartbeatReceived): void {
  const node = draft.state.live.nodes.get(event.node);
  if (node === undefined || node.sessionId !== event.sessionId) return;
  node.lastFrameAtMs = event.arrivalMs;
  const isMember = event.postgres !== null || (event.redis ?? []).length > 0;
  if (isMember && node.detector.intervalMs !== memberIntervalMs) {
    node.detector = createDetector({
      intervalMs: memberIntervalMs,
      mistakesPerNodeDay: draft.state.durable.policy.falseAlarmsPerNodeDay,
      minSilenceMs: draft.state.durable.policy.minSilenceMs,
      maxSilenceMs: draft.state.durable.policy.maxSilenceMs,
    });
  }
  if (event.eager) {
    // Off the grid: a sign of life, but nothing to learn the node's rhythm from.
    node.detector.lastArrivalMs = Math.max(node.detector.lastArrivalMs, event.arrivalMs);
  } else {
    const beat = {
      seq: event.seq,
      bootId: event.bootId,
      senderMonoMs: event.monoMs,
      arrivalMs: event.arrivalMs,
    };
    recordArrival(node.detector, beat, draft.state.live.self.stalls);
  }
  node.lastBeatSeq = event.seq;
  node.clockOffsetMs = event.wallMs - (draft.now.wallMs - (draft.now.monoMs - event.arrivalMs));
  node.agentLoopLagMs = event.loopLagMs;
  node.host = event.host ?? node.host;
  node.postgres = event.postgres;
  node.redis = event.redis ?? [];
  node.statusAtMs = event.arrivalMs;
  node.peers = event.peers;
  node.checks = event.checks;
  node.workloads = event.workloads;
  node.programs = event.programs ?? [];
  node.fences = event.fences ?? [];
  touchNode(draft, node);
  for (const peer of event.peers)
    if (peer.cluster !== null) ensureClusterLive(draft, peer.cluster).observers.add(event.node);
  if (event.postgres !== null) {
    declareMember(draft, event.node, event.postgres);
    observeWal(draft, event.node, event.postgres, event.arrivalMs);
  }
  declareRedis(draft, event.node, node.redis);
}

/** What is remembered of a cluster while we run. */
export function ensureClusterLive(draft: Draft, id: string): ClusterLive {
  const { clusters } = draft.state.live;
  const known = clusters.get(id);
  if (known !== undefined) return known;
  const fresh: ClusterLive = { id, since: new Map(), observers: new Set() };
  clusters.set(id, fresh);
  return fresh;
}

function touchNode(draft: Draft, node: NodeLive): void {
  draft.touched.add(`node:${node.id}`);
  if (node.postgres !== null) draft.touched.add(`cluster:${node.postgres.cluster}`);
  for (const { cluster } of node.redis) draft.touched.add(`redis:${cluster}`);
  for (const { cluster } of node.peers) {
    if (cluster === null) continue;
    // What a witness sees changes the judgement of the cluster it looks at.
    ensureClusterLive(draft, cluster).observers.add(node.id);
    draft.touched.add(`cluster:${cluster}`);
  }
  for (const workload of node.workloads) draft.touched.add(`cluster:${workload.cluster}`);
}

/** A node that runs a member of a cluster says so itself; the record follows its word on name and address only. */
function declareMember(draft: Draft, nodeId: string, status: PostgresStatus): void {
  const cluster = getCluster(draft, status.cluster);
  if (cluster === null) putCluster(draft, createCluster(draft, status.cluster));
  const known = getCluster(draft, status.cluster)?.members[nodeId];
  const watchdog = status.watchdog === true;
  const same = known?.host === status.host && known.port === status.port && (known.watchdog ?? false) === watchdog;
  if (same) return;
  const member: MemberRecord = {
    id: nodeId,
    host: status.host,
    port: status.port,
    standing: known?.standing ?? "new",
    cloneOnly: known?.cloneOnly ?? false,
    priority: known?.priority ?? 1,
    ...(watchdog || known?.watchdog !== undefined ? { watchdog } : {}),
  };
  const members = { ...getCluster(draft, status.cluster)?.members, [nodeId]: member };
  patchCluster(draft, status.cluster, { members });
}

/** A rate is taken over at least this long. */
const rateWindowMs = 1_000;
const fadePerSecond = 0.95;

/** How far an asynchronous primary has come, and how fast it writes: what a failover may cost is reckoned by it. */
function observeWal(draft: Draft, node: string, status: PostgresStatus, atMs: number): void {
  const cluster = getCluster(draft, status.cluster);
  const live = draft.state.live.clusters.get(status.cluster);
  if (live === undefined || cluster?.durability.mode !== "async" || cluster.primary !== node) return;
  if (status.role !== "primary" || status.lsn === null) return;
  const before = live.wal?.node === node ? live.wal : undefined;
  const from = before?.from ?? { lsn: status.lsn, atMs };
  const elapsedMs = atMs - from.atMs;
  if (elapsedMs < rateWindowMs) {
    live.wal = { node, lsn: status.lsn, atMs, bytesPerSecond: before?.bytesPerSecond ?? 0, from };
    return;
  }
  const rate = (Math.max(0, status.lsn - from.lsn) / elapsedMs) * 1_000;
  const faded = (before?.bytesPerSecond ?? 0) * fadePerSecond ** (elapsedMs / 1_000);
  live.wal = { node, lsn: status.lsn, atMs, bytesPerSecond: Math.max(rate, faded), from: { lsn: status.lsn, atMs } };
}

function createCluster(draft: Draft, id: string): ClusterRecord {
  return {
    id,
    kind: "postgres",
    epoch: 0,
    grantId: null,
    primary: null,
    systemId: null,
    durability: { mode: "sync", k: draft.state.durable.policy.synchronousStandbys },
    automation: { state: "held", by: "holdfast", reason: "preflight-pending", at: draft.now.wallMs },
    members: {},
    configurations: [],
    configVersion: 0,
    highestTimeline: 0,
    epochs: [],
    openActionId: null,
    highestEpoch: 0,
    commandStep: 0,
    budgetUsedAt: [],
    maintenance: null,
    preflightPassedAt: null,
  };
}
