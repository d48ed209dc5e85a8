import { appendTimeline, type Draft, demand, getIncident, patchIncident } from "../draft.ts";
import type { ClusterRecord } from "../recovery/types.ts";
import type { WorkloadReport } from "../replication/status.ts";
import type { Incident } from "./types.ts";

/** An outage that began this long before the first signal still belongs to it: the application notices first. */
const slackMs = 2_000;

/** The client's view of the fault: how long nothing was acknowledged, and whether what was acknowledged is still there. */
export function measureImpact(draft: Draft, cluster: ClusterRecord, incidentId: string): void {
  const workload = findWorkload(draft, cluster.id);
  const incident = demand(getIncident(draft, incidentId), incidentId);
  if (workload === null) return;
  const from = incident.beganAt - slackMs;
  const outage = workload.lastOutage !== null && workload.lastOutage.toMs >= from ? workload.lastOutage : null;
  const audited = workload.auditedAt !== null && workload.auditedAt >= (incident.mitigatedAt ?? incident.openedAt);
  const impact = {
    ...incident.impact,
    writesUnavailableFrom: outage?.fromMs ?? incident.impact.writesUnavailableFrom,
    writesUnavailableTo: outage?.toMs ?? incident.impact.writesUnavailableTo,
    writesUnavailableMs: outage === null ? incident.impact.writesUnavailableMs : outage.toMs - outage.fromMs,
    acknowledgedLost: audited ? workload.lost : incident.impact.acknowledgedLost,
    acknowledged: audited ? workload.acknowledged : incident.impact.acknowledged,
  };
  const before = incident.impact;
  const outageIsNew = impact.writesUnavailableMs !== before.writesUnavailableMs;
  const auditIsNew = impact.acknowledgedLost !== before.acknowledgedLost;
  if (!outageIsNew && !auditIsNew) return;
  patchIncident(draft, incidentId, {
    impact,
    severity: (impact.acknowledgedLost ?? 0) > 0 || (impact.writesUnavailableMs ?? 0) > 60_000 ? 1 : incident.severity,
  });
  const subject = { kind: "service", id: workload.name } as const;
  if (outageIsNew && outage !== null) {
    appendTimeline(draft, {
      incidentId,
      lane: "signal",
      kind: "writes-resumed",
      at: outage.toMs,
      subject,
      data: { durationMs: outage.toMs - outage.fromMs, node: workload.writingTo },
      actor: workload.name,
    });
    if (changedPrimary(cluster, incident))
      recordOnEpoch(draft, cluster, { unavailableMs: outage.toMs - outage.fromMs });
  }
  if (auditIsNew) {
    appendTimeline(draft, {
      incidentId,
      lane: "signal",
      kind: "writes-audited",
      subject,
      data: { acknowledged: workload.acknowledged, lost: workload.lost },
      actor: workload.name,
    });
    if (changedPrimary(cluster, incident)) recordOnEpoch(draft, cluster, { lost: workload.lost });
  }
}

function changedPrimary(cluster: ClusterRecord, incident: Incident): boolean {
  return (cluster.epochs.at(-1)?.at ?? 0) >= incident.beganAt;
}

export function findWorkload(draft: Draft, clusterId: string): WorkloadReport | null {
  for (const node of draft.state.live.nodes.values()) {
    const found = node.workloads.find((workload) => workload.cluster === clusterId);
    if (found !== undefined && node.connected) return found;
  }
  return null;
}

function recordOnEpoch(
  draft: Draft,
  cluster: ClusterRecord,
  patch: { unavailableMs?: number; lost?: number | null },
): void {
  const current = demand(draft.clusters.get(cluster.id) ?? draft.state.durable.clusters.get(cluster.id), cluster.id);
  const last = current.epochs.length - 1;
  const epochs = current.epochs.map((record, index) => (index === last ? { ...record, ...patch } : record));
  draft.clusters.set(cluster.id, { ...current, epochs });
  draft.touched.add(`cluster:${cluster.id}`);
}
