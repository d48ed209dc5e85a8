import type {
  Action,
  CandidateVerdict,
  ClusterRecord,
  MemberRecord,
  PostgresStatus,
  ReplicationRow,
  SyncConfiguration,
  WorkloadReport,
} from "../../core/index.ts";
import { formatLsn, seeAgent } from "../../core/index.ts";
import type { ClusterView, MemberView, Reason } from "../../protocol/index.ts";
import { nodeHealth, type ProjectionContext } from "./context.ts";

/** One cluster as the screens show it; null when there is no such cluster. */
export function projectCluster(context: ProjectionContext, id: string): ClusterView | null {
  const record = context.state.durable.clusters.get(id);
  if (record === undefined) return null;
  const health = context.judgements.judgeClusterHealth(context.state, id, context.now);
  const candidates = new Map(
    context.judgements.explainCandidates(context.state, record, context.now).map((verdict) => [verdict.node, verdict]),
  );
  const configuration = record.configurations.at(-1) ?? null;
  const primary = statusOf(context, record.primary);
  const members = Object.values(record.members)
    .sort((a, b) => a.id.localeCompare(b.id, "en"))
    .map((member) => projectMember(context, record, member, configuration, primary, candidates.get(member.id)));
  return {
    entity: "cluster",
    id,
    kind: record.kind,
    state: health.state,
    reasons: health.reasons,
    stateSince: context.memory.since(`cluster:${id}`, health.state, context.now.wallMs),
    epoch: record.epoch,
    primary: record.primary,
    timeline: primary?.timeline ?? record.epochs.at(-1)?.timeline ?? null,
    durability: record.durability,
    configuration,
    reducedDurability: isReduced(record, configuration, members),
    automation: record.automation,
    budget: budgetOf(context, record),
    maintenance: record.maintenance,
    members,
    sights: sightsOf(context, record),
    epochs: record.epochs,
    workload: workloadOf(context, id),
    openActionId: record.openActionId,
    openIncidentId: openIncidentOf(context, id),
    refusal: record.openActionId === null ? (context.state.live.clusters.get(id)?.refusal ?? null) : null,
    systemId: record.systemId,
  };
}

function projectMember(
  context: ProjectionContext,
  record: ClusterRecord,
  member: MemberRecord,
  configuration: SyncConfiguration | null,
  primary: PostgresStatus | null,
  candidate: CandidateVerdict | undefined,
): MemberView {
  const status = statusOf(context, member.id);
  // What a silent agent said last is no longer a fact, except how far its log had come.
  const heard = context.state.live.nodes.get(member.id)?.connected ?? false;
  const isPrimary = record.primary === member.id;
  const row = isPrimary ? null : (primary?.replication.find((entry) => entry.node === member.id) ?? null);
  const notCandidate: Reason = { code: isPrimary ? "is-primary" : "unknown", data: {} };
  return {
    node: member.id,
    host: member.host,
    port: member.port,
    state: nodeHealth(context, member.id).state,
    standing: member.standing,
    role: heard ? (status?.role ?? null) : isPrimary ? "primary" : null,
    // In asynchronous mode the configuration names who may renew the lease.
    sync: configuration !== null && configuration.k > 0 && configuration.members.includes(member.id),
    streaming: row?.state === "streaming" || (!isPrimary && heard && status?.receiver?.status === "streaming"),
    timeline: status?.timeline ?? null,
    lsn: status?.lsn == null ? null : formatLsn(status.lsn),
    lagBytes: isPrimary ? null : lagBytesOf(primary, row, status),
    lagMs: isPrimary || !heard ? null : (row?.replayLagMs ?? status?.replayLagMs ?? null),
    responseRatio: isPrimary || !heard ? null : responseRatio(primary, status),
    rejoinProgress: rejoinProgress(context, record.id, member.id),
    candidate: { eligible: candidate?.eligible ?? false, reason: candidate?.reason ?? notCandidate },
    postgresVersion: status?.version ?? null,
  };
}

function statusOf(context: ProjectionContext, node: string | null): PostgresStatus | null {
  return node === null ? null : (context.state.live.nodes.get(node)?.postgres ?? null);
}

/** Both positions come from the primary's own row where it has one: read at one moment, by one clock. */
function lagBytesOf(
  primary: PostgresStatus | null,
  row: ReplicationRow | null,
  status: PostgresStatus | null,
): number | null {
  if (primary?.lsn == null) return null;
  const position = row?.flushLsn ?? status?.lsn ?? null;
  return position === null ? null : Math.max(0, primary.lsn - position);
}

/** `R = Ts / Tr`: the primary's mean response time divided by the replica's, for the same query. */
function responseRatio(primary: PostgresStatus | null, status: PostgresStatus | null): MemberView["responseRatio"] {
  const source = primary?.response ?? null;
  const replica = status?.response ?? null;
  if (source === null || replica === null || !(replica.meanMs > 0)) return null;
  return {
    r: Math.round((source.meanMs / replica.meanMs) * 1_000) / 1_000,
    samples: Math.min(source.samples, replica.samples),
    windowMs: Math.min(source.windowMs, replica.windowMs),
  };
}

function rejoinProgress(context: ProjectionContext, cluster: string, node: string): number | null {
  for (const action of context.state.durable.actions.values()) {
    if (action.kind !== "rejoin" || action.cluster !== cluster || action.target !== node) continue;
    if (action.phase === "running") return runningProgress(action);
  }
  return null;
}

function runningProgress(action: Action): number {
  return action.steps.find((step) => step.status === "running")?.progress ?? 0;
}

function isReduced(
  record: ClusterRecord,
  configuration: SyncConfiguration | null,
  members: readonly MemberView[],
): boolean {
  if (record.durability.mode !== "sync" || record.epoch === 0) return false;
  const streaming = members.filter((member) => member.sync && member.streaming).length;
  return (configuration?.k ?? 0) < record.durability.k || streaming < record.durability.k;
}

function budgetOf(context: ProjectionContext, record: ClusterRecord): ClusterView["budget"] {
  const { failoverBudget, failoverBudgetWindowMs } = context.state.durable.policy;
  const recent = record.budgetUsedAt.filter((at) => context.now.wallMs - at < failoverBudgetWindowMs);
  const oldest = recent[0];
  const nextFreeAt = recent.length >= failoverBudget && oldest !== undefined ? oldest + failoverBudgetWindowMs : null;
  return { used: recent.length, of: failoverBudget, nextFreeAt };
}

function sightsOf(context: ProjectionContext, record: ClusterRecord): ClusterView["sights"] {
  const sights: ClusterView["sights"][number][] = [];
  for (const member of Object.keys(record.members)) {
    const agent = seeAgent(context.state, member, context.now);
    const reach = agent === "alive" ? "ok" : agent === "awaited" ? "unknown" : "failed";
    sights.push({ observer: "control-plane", subject: member, reach, reason: reach === "failed" ? agent : null });
  }
  for (const observer of context.state.live.nodes.values()) {
    for (const sight of observer.peers) {
      if (!(sight.node in record.members)) continue;
      sights.push({ observer: observer.id, subject: sight.node, reach: sight.reach, reason: sight.reason });
    }
  }
  return sights;
}

/** The application that writes most speaks for the cluster. */
function workloadOf(context: ProjectionContext, cluster: string): WorkloadReport | null {
  let chosen: WorkloadReport | null = null;
  for (const node of context.state.live.nodes.values()) {
    for (const workload of node.workloads) {
      if (workload.cluster !== cluster) continue;
      if (chosen === null || workload.writesPerSecond > chosen.writesPerSecond) chosen = workload;
    }
  }
  return chosen;
}

function openIncidentOf(context: ProjectionContext, cluster: string): string | null {
  for (const incident of context.state.durable.incidents.values()) {
    if (incident.cluster === cluster && incident.phase !== "resolved" && incident.phase !== "closed")
      return incident.id;
  }
  return null;
}
