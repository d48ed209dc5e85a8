import { type Draft, demand, getAction, getIncident, listIncidents, patchIncident } from "../draft.ts";
import { currentConfiguration, isStreaming } from "../recovery/members.ts";
import type { ClusterRecord } from "../recovery/types.ts";
import { measureImpact } from "./impact.ts";
import {
  addEvidence,
  findVerdict,
  joinVerdict,
  mitigateIncident,
  openIncident,
  resolveIncident,
} from "./record-verdict.ts";
import type { Incident, Verdict } from "./types.ts";

/** One fault, one incident: how long after its last signal a verdict still joins. */
const joinWindowMs = 120_000;

/** Opens, joins and closes the incidents of a cluster by its verdicts of now. */
export function syncIncidents(draft: Draft, cluster: ClusterRecord, verdicts: readonly Verdict[]): void {
  if (cluster.epoch === 0) return;
  for (const verdict of verdicts) recordVerdict(draft, cluster, verdict);
  const incident = findOpenIncident(draft, cluster.id);
  if (incident === null) {
    const ended = findJustResolved(draft, cluster.id);
    if (ended !== null) measureImpact(draft, cluster, ended.id);
    return;
  }
  measureImpact(draft, cluster, incident.id);
  advancePhase(draft, cluster, incident.id, verdicts);
}

/** The application looks for its writes when the repair is done: its figures may come after the end of a short incident. */
const lateFiguresMs = 60_000;

function findJustResolved(draft: Draft, clusterId: string): Incident | null {
  const since = draft.now.wallMs - lateFiguresMs;
  return (
    listIncidents(draft)
      .filter((incident) => incident.cluster === clusterId && (incident.resolvedAt ?? 0) > since)
      .sort((a, b) => b.openedAt - a.openedAt)[0] ?? null
  );
}

/** The incident of this cluster that is not over yet. */
export function findOpenIncident(draft: Draft, clusterId: string): Incident | null {
  return (
    listIncidents(draft).find((incident) => incident.cluster === clusterId && incident.resolvedAt === null) ?? null
  );
}

function recordVerdict(draft: Draft, cluster: ClusterRecord, verdict: Verdict): void {
  const open = findOpenIncident(draft, cluster.id);
  if (open === null) return openClusterIncident(draft, cluster.id, verdict);
  const known = findVerdict(open, verdict);
  if (known === undefined) return joinIncident(draft, open, verdict);
  // Once a recovery runs, what is newly seen may be its own doing: sealing ends WAL streams, too.
  const running = cluster.openActionId === null ? null : getAction(draft, cluster.openActionId);
  if (running?.kind === "failover" || running?.kind === "switchover") return;
  addEvidence(draft, open, known, verdict);
}

function openClusterIncident(draft: Draft, clusterId: string, verdict: Verdict): void {
  const previous = listIncidents(draft)
    .filter((item) => item.cluster === clusterId && item.cause.subject.id === verdict.subject.id)
    .at(-1);
  openIncident(draft, verdict, { cluster: clusterId, follows: previous?.id ?? null });
}

/** Later verdicts of the same cluster within the window are symptoms; a graver one on the primary becomes the cause. */
function joinIncident(draft: Draft, incident: Incident, verdict: Verdict): void {
  const { wallMs } = draft.now;
  if (wallMs - incident.lastSignalAt > joinWindowMs && incident.mitigatedAt !== null) {
    // Long quiet: this is a new fault; the old incident waits for its own end.
    patchIncident(draft, incident.id, { resolvedAt: wallMs, phase: "resolved" });
    return openClusterIncident(draft, demand(incident.cluster, "cluster"), verdict);
  }
  joinVerdict(draft, incident, verdict);
}

/** open → mitigated when the primary writes again → resolved when everything is as promised. */
function advancePhase(draft: Draft, cluster: ClusterRecord, incidentId: string, verdicts: readonly Verdict[]): void {
  const incident = demand(getIncident(draft, incidentId), incidentId);
  const openAction = cluster.openActionId === null ? null : getAction(draft, cluster.openActionId);
  const moving = openAction !== null && openAction.kind !== "reconfigure";
  const primaryFine =
    !moving && cluster.primary !== null && !verdicts.some((verdict) => verdict.subject.id === cluster.primary);
  const subject = { kind: "cluster", id: cluster.id } as const;
  if (primaryFine) mitigateIncident(draft, incident, subject, { primary: cluster.primary, epoch: cluster.epoch });
  if (verdicts.length > 0 || openAction !== null || !isAsPromised(draft, cluster)) return;
  forgetRefusals(draft, cluster.id);
  resolveIncident(draft, incidentId, subject);
}

/** Every member streams and the synchronous set is whole. */
export function isAsPromised(draft: Draft, cluster: ClusterRecord): boolean {
  const configuration = currentConfiguration(cluster);
  const standbys = Object.values(cluster.members).filter((member) => member.id !== cluster.primary);
  if (configuration === null || cluster.configurations.length !== 1) return false;
  return standbys.every(
    (member) =>
      member.standing === "member" &&
      isStreaming(draft.state, cluster, member.id) &&
      (cluster.durability.mode === "async" || configuration.members.includes(member.id)),
  );
}

/** The next outage says its reasons anew. */
function forgetRefusals(draft: Draft, clusterId: string): void {
  const since = draft.state.live.clusters.get(clusterId)?.since;
  for (const key of since?.keys() ?? []) if (key.startsWith("refused:")) since?.delete(key);
}
