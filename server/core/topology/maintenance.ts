import { appendAudit, type Draft, getCluster, getNode, patchCluster, putNode } from "../draft.ts";
import type { Incident } from "../incident/types.ts";
import type { State } from "../state.ts";
import type { Maintenance } from "./types.ts";

/** True while somebody has asked that nothing is done here by itself. */
export function holdsAutomation(maintenance: Maintenance | null | undefined, wallMs: number): boolean {
  return maintenance?.holdAutomation === true && !isOver(maintenance, wallMs);
}

/** True while somebody has asked for quiet. */
export function mutesAlerts(maintenance: Maintenance | null | undefined, wallMs: number): boolean {
  return maintenance?.muteAlerts === true && !isOver(maintenance, wallMs);
}

/** A node is quiet while it, or the cluster that it is a member of, is. */
export function isNodeMuted(state: State, nodeId: string, clusterId: string | null, wallMs: number): boolean {
  const { nodes, clusters } = state.durable;
  const ofCluster = clusterId === null ? null : clusters.get(clusterId)?.maintenance;
  return mutesAlerts(nodes.get(nodeId)?.maintenance, wallMs) || mutesAlerts(ofCluster, wallMs);
}

/** Whether somebody asked for quiet about what this incident is about. */
export function isIncidentMuted(state: State, { cluster, cause }: Incident, wallMs: number): boolean {
  if (cluster !== null && mutesAlerts(state.durable.clusters.get(cluster)?.maintenance, wallMs)) return true;
  if (cause.subject.kind !== "node") return false;
  const node = cause.subject.id;
  const memberOf = [...state.durable.clusters.values()].find((each) => node in each.members)?.id ?? null;
  return isNodeMuted(state, node, memberOf, wallMs);
}

function isOver(maintenance: Maintenance, wallMs: number): boolean {
  return maintenance.until !== null && maintenance.until <= wallMs;
}

/** A maintenance ends at its time, in the record as well. */
export function endClusterMaintenance(draft: Draft, clusterId: string): void {
  const maintenance = getCluster(draft, clusterId)?.maintenance ?? null;
  if (maintenance === null || !isOver(maintenance, draft.now.wallMs)) return;
  patchCluster(draft, clusterId, { maintenance: null });
  auditEnd(draft, `cluster:${clusterId}`, maintenance);
}

export function endNodeMaintenance(draft: Draft, nodeId: string): void {
  const node = getNode(draft, nodeId);
  if (node?.maintenance == null || !isOver(node.maintenance, draft.now.wallMs)) return;
  putNode(draft, { ...node, maintenance: null });
  auditEnd(draft, `node:${nodeId}`, node.maintenance);
}

function auditEnd(draft: Draft, subject: string, maintenance: Maintenance): void {
  appendAudit(draft, {
    actor: "holdfast",
    actorRole: "system",
    verb: "maintenance-ended",
    subject,
    before: { by: maintenance.by, until: maintenance.until },
    after: null,
    reason: maintenance.reason,
  });
}
