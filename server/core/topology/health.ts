import { currentConfiguration, isPrimaryRunning, isStreaming } from "../recovery/members.ts";
import type { ClusterRecord, MemberRecord } from "../recovery/types.ts";
import type { State } from "../state.ts";
import type { Now } from "../time.ts";
import type { Health, HealthState, Reason } from "./health-state.ts";
import { seeAgent } from "./sight.ts";

/** Shares of a resource above which a node is degraded. */
const diskFullShare = 0.95;
const memoryFullShare = 0.97;

/** Gravest first. */
const order: readonly HealthState[] = ["down", "fenced", "degraded", "suspect", "unknown", "maintenance", "healthy"];

/** The state of a node and every reason for it. The gravest reason names the state; maintenance covers what is not down. */
export function judgeNodeHealth(state: State, nodeId: string, now: Now): Health {
  const record = state.durable.nodes.get(nodeId);
  const found: [HealthState, Reason][] = [];
  const add = (health: HealthState, code: string, data: Reason["data"] = {}) => found.push([health, { code, data }]);
  if (record?.revokedAt != null) add("unknown", "revoked");
  if (record?.maintenance != null)
    add("maintenance", "maintenance", {
      by: record.maintenance.by,
      reason: record.maintenance.reason,
      until: record.maintenance.until,
    });
  const agent = seeAgent(state, nodeId, now);
  const live = state.live.nodes.get(nodeId);
  if (live === undefined || agent === "awaited") add("unknown", "never-heard");
  else if (agent === "silent") add("down", "agent-silent", { forMs: Math.round(now.monoMs - live.lastFrameAtMs) });
  else if (agent === "closed")
    add("down", "agent-socket-closed", { forMs: Math.round(now.monoMs - (live.closedAtMs ?? now.monoMs)) });
  else judgeLive(state, nodeId, now, add);
  const best = order.find((health) => found.some(([item]) => item === health)) ?? "healthy";
  return {
    state: best,
    reasons: found.sort((a, b) => order.indexOf(a[0]) - order.indexOf(b[0])).map(([, reason]) => reason),
  };
}

type Add = (health: HealthState, code: string, data?: Reason["data"]) => void;

function judgeLive(state: State, nodeId: string, now: Now, add: Add): void {
  const live = state.live.nodes.get(nodeId);
  if (live === undefined) return;
  const { detector } = live;
  const silence = now.monoMs - detector.lastArrivalMs;
  if (silence > Math.max(2.5 * detector.intervalMs, detector.thresholdMs / 2)) {
    add("suspect", "beats-missing", { silentMs: Math.round(silence), thresholdMs: Math.round(detector.thresholdMs) });
  }
  const { host } = live;
  if (host !== null && host.diskTotalBytes > 0 && host.diskUsedBytes / host.diskTotalBytes > diskFullShare) {
    add("degraded", "disk-nearly-full", { share: round(host.diskUsedBytes / host.diskTotalBytes) });
  }
  if (host !== null && host.memoryTotalBytes > 0 && host.memoryUsedBytes / host.memoryTotalBytes > memoryFullShare) {
    add("degraded", "memory-nearly-full", { share: round(host.memoryUsedBytes / host.memoryTotalBytes) });
  }
  for (const check of live.checks) {
    if (!check.ok && check.subject === nodeId)
      add("degraded", "check-failing", { check: check.name, detail: check.detail });
  }
  const status = live.postgres;
  if (status === null) return;
  const cluster = state.durable.clusters.get(status.cluster);
  const member = cluster?.members[nodeId];
  if (cluster === undefined || member === undefined) return;
  judgePostgres(state, cluster, member, add);
}

function judgePostgres(state: State, cluster: ClusterRecord, member: MemberRecord, add: Add): void {
  const status = state.live.nodes.get(member.id)?.postgres;
  if (status == null) return;
  if (member.standing === "quarantined") add("fenced", "quarantined");
  if (member.standing === "fenced")
    add("fenced", status.state === "rejoining" ? "rejoining" : "fenced", { epoch: cluster.epoch });
  if (member.standing === "new" && cluster.epoch > 0)
    add("degraded", status.state === "rejoining" ? "cloning" : "not-joined");
  if (cluster.primary !== member.id && !isStreaming(state, cluster, member.id)) explainRejoin(state, member, add);
  if (member.standing !== "member") return;
  if (status.state === "stopped") add("down", "postgres-stopped", { signal: status.exit?.signal ?? null });
  else if (status.state === "hung" || status.probe.failingForMs > 500)
    add("down", "postgres-hung", { forMs: Math.round(status.probe.failingForMs) });
  else if (status.state !== "running") add("degraded", `postgres-${status.state}`);
  else if (cluster.primary !== member.id && !isStreaming(state, cluster, member.id))
    add("degraded", "not-streaming", { primary: cluster.primary });
  if (cluster.primary === member.id && status.syncProbe !== null && status.syncProbe.failingForMs > 1_000) {
    add("degraded", "sync-writes-waiting", { forMs: Math.round(status.syncProbe.failingForMs) });
  }
}

/** Why the member is not back: what its last rejoin failed of. */
function explainRejoin(state: State, member: MemberRecord, add: Add): void {
  const last = [...state.durable.actions.values()].findLast(
    (action) => action.kind === "rejoin" && action.target === member.id,
  );
  if (last?.phase === "failed" && last.failure !== null) add("degraded", last.failure.code, last.failure.data);
}

/** The state of a cluster: can it write, and is it as redundant as promised? */
export function judgeClusterHealth(state: State, clusterId: string, now: Now): Health {
  const cluster = state.durable.clusters.get(clusterId);
  if (cluster === undefined) return { state: "unknown", reasons: [] };
  const found: [HealthState, Reason][] = [];
  const add = (health: HealthState, code: string, data: Reason["data"] = {}) => found.push([health, { code, data }]);
  if (cluster.maintenance !== null)
    add("maintenance", "maintenance", {
      by: cluster.maintenance.by,
      reason: cluster.maintenance.reason,
      until: cluster.maintenance.until,
    });
  if (cluster.primary === null) add(cluster.epoch === 0 ? "unknown" : "down", "no-primary");
  else judgePrimary(state, cluster, cluster.primary, now, add);
  const k = cluster.durability.mode === "sync" ? cluster.durability.k : 0;
  const standbys = Object.values(cluster.members).filter((member) => member.id !== cluster.primary);
  const streaming = standbys.filter((member) => member.standing === "member" && isStreaming(state, cluster, member.id));
  if (cluster.epoch > 0 && streaming.length < k)
    add("down", "too-few-sync-standbys", { streaming: streaming.length, k });
  else if (cluster.epoch > 0 && streaming.length < standbys.length)
    add("degraded", "standbys-missing", { streaming: streaming.length, of: standbys.length });
  const configuration = currentConfiguration(cluster);
  if (cluster.epoch > 0 && k > 0 && (configuration?.k ?? 0) < k)
    add("degraded", "reduced-durability", { k: configuration?.k ?? 0, promised: k });
  const best = order.find((health) => found.some(([item]) => item === health)) ?? "healthy";
  return {
    state: best,
    reasons: found.sort((a, b) => order.indexOf(a[0]) - order.indexOf(b[0])).map(([, reason]) => reason),
  };
}

function judgePrimary(state: State, cluster: ClusterRecord, primary: string, now: Now, add: Add): void {
  const agent = seeAgent(state, primary, now);
  const open = cluster.openActionId === null ? undefined : state.durable.actions.get(cluster.openActionId);
  if (open !== undefined && (open.kind === "failover" || open.kind === "switchover") && open.state !== "verifying") {
    return add("down", `${open.kind}-running`, { action: open.id, state: open.state });
  }
  if (agent === "awaited") return add("unknown", "never-heard", { node: primary });
  if (agent !== "alive") return add("suspect", "primary-agent-lost", { node: primary });
  if (!isPrimaryRunning(state, cluster)) add("down", "primary-not-running", { node: primary });
}

function round(share: number): number {
  return Math.round(share * 1000) / 1000;
}
