import { appendTimeline, type Draft, demand, getCluster, getIncident, patchCluster, patchIncident } from "../draft.ts";
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
  const outage = belongingOutage(incident, workload);
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
  }
}

export function findWorkload(draft: Draft, clusterId: string): WorkloadReport | null {
  for (const node of draft.state.live.nodes.values()) {
    const found = node.workloads.find((workload) => workload.cluster === clusterId);
    if (found !== undefined && node.connected) return found;
  }
  return null;
}

/** The application's gap that this fault made: it overlaps the time until writes were served again. Of several the longest counts; later hiccups don't. */
function belongingOutage(incident: Incident, workload: WorkloadReport): WorkloadReport["lastOutage"] {
  const { lastOutage } = workload;
  if (lastOutage === null || lastOutage.toMs < incident.beganAt - slackMs) return null;
  if (incident.mitigatedAt !== null && lastOutage.fromMs > incident.mitigatedAt) return null;
  const longest = incident.impact.writesUnavailableMs ?? 0;
  return lastOutage.toMs - lastOutage.fromMs > longest ? lastOutage : null;
}

/** How long after a change of the primary its figures are still looked for. */
const epochWindowMs = 120_000;

/** The figures of the last change of the primary, planned or not, as the application measured them: for the cluster's history. */
export function measureEpoch(draft: Draft, clusterId: string): void {
  const cluster = demand(getCluster(draft, clusterId), clusterId);
  const record = cluster.epochs.at(-1);
  const workload = findWorkload(draft, clusterId);
  if (record === undefined || workload === null || draft.now.wallMs - record.at > epochWindowMs) return;
  if (record.cause !== "failover" && record.cause !== "switchover") return;
  const { lastOutage } = workload;
  // The outage that the new grant ended: it had begun before, and ended after it.
  const belongs = lastOutage !== null && lastOutage.fromMs <= record.at + slackMs && lastOutage.toMs >= record.at;
  // Of several the longest counts: a hiccup while clients came back is not the outage.
  const unavailableMs = belongs
    ? Math.max(lastOutage.toMs - lastOutage.fromMs, record.unavailableMs ?? 0)
    : record.unavailableMs;
  const audited = workload.auditedAt !== null && workload.auditedAt >= record.at;
  const lost = audited ? workload.lost : record.lost;
  if (unavailableMs === record.unavailableMs && lost === record.lost) return;
  patchCluster(draft, clusterId, { epochs: [...cluster.epochs.slice(0, -1), { ...record, unavailableMs, lost }] });
}
