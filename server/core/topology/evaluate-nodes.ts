import {
  appendTimeline,
  type Draft,
  getIncident,
  listIncidents,
  nextIncidentId,
  patchIncident,
  putIncident,
  wakeAt,
} from "../draft.ts";
import { severityOf } from "../incident/severity.ts";
import { rankSuspects } from "../incident/suspects.ts";
import type { Evidence, Incident, Verdict, VerdictKind } from "../incident/types.ts";
import { endNodeMaintenance, mutesAlerts } from "./maintenance.ts";
import { agentLostSince, seeAgent } from "./sight.ts";
import type { NodeLive, NodeRecord } from "./types.ts";

/** What lasts for less than this is a restart, not a fault. */
const confirmMs = 6_000;
const returnGraceMs = 15_000;
const diskFullShare = 0.95;

/** Faults of nodes themselves, whatever runs on them: gone, a disk nearly full, a check that fails. */
export function evaluateNodes(draft: Draft): void {
  if (draft.state.live.self.frozen !== null) return;
  const members = new Set(
    [...draft.state.durable.clusters.values()].flatMap((cluster) => Object.keys(cluster.members)),
  );
  const openBySubject = new Map(
    listIncidents(draft)
      .filter(
        (incident) =>
          incident.cause.subject.kind === "node" && incident.cluster === null && incident.resolvedAt === null,
      )
      .map((incident) => [incident.cause.subject.id, incident]),
  );
  for (const node of draft.state.durable.nodes.values()) {
    endNodeMaintenance(draft, node.id);
    const muted = node.revokedAt !== null || mutesAlerts(node.maintenance, draft.now.wallMs);
    const verdict = muted ? null : judgeNode(draft, node, members.has(node.id));
    const open = openBySubject.get(node.id);
    if (verdict !== null && open === undefined) openNodeIncident(draft, verdict);
    else if (verdict === null && open !== undefined) resolveNodeIncident(draft, open);
  }
}

function judgeNode(draft: Draft, node: NodeRecord, isMember: boolean): Verdict | null {
  const { now, state } = draft;
  const live = state.live.nodes.get(node.id);
  const agent = seeAgent(state, node.id, now);
  // Agents without a database come back more slowly than members do, and one that has just enrolled was never heard yet.
  const returning =
    now.monoMs - state.live.self.startedAtMs < returnGraceMs || now.wallMs - node.enrolledAt < returnGraceMs;
  if (agent === "awaited" || (agent !== "alive" && returning)) return null;
  if (agent !== "alive") {
    // A member of a cluster is judged with its cluster: one fault, one incident.
    if (isMember) return null;
    const since = agentLostSince(state, node.id, now);
    wakeAt(draft, now.monoMs + Math.max(0, since + confirmMs - now.wallMs));
    if (now.wallMs - since < confirmMs) return null;
    const code = agent === "closed" ? "agent-socket-closed" : "agent-silent";
    return makeVerdict("lost-node", node.id, since, 0.6, {
      code,
      observer: "control-plane",
      stance: "for",
      data: { node: node.id },
    });
  }
  return live === undefined ? null : judgeResources(draft, node.id, live);
}

function judgeResources(draft: Draft, node: string, live: NodeLive): Verdict | null {
  const { host } = live;
  const { wallMs } = draft.now;
  if (host !== null && host.diskTotalBytes > 0 && host.diskUsedBytes / host.diskTotalBytes > diskFullShare) {
    const share = Math.round((1000 * host.diskUsedBytes) / host.diskTotalBytes) / 1000;
    return makeVerdict("disk-full", node, wallMs, 0.99, {
      code: "disk-usage",
      observer: node,
      stance: "for",
      data: { share },
    });
  }
  const failing = live.checks.find((check) => !check.ok && check.subject === node && check.failingForMs >= confirmMs);
  if (failing === undefined) return null;
  const data = { check: failing.name, detail: failing.detail, forMs: failing.failingForMs };
  return makeVerdict("check-failing", node, wallMs - failing.failingForMs, 0.9, {
    code: "check-failed",
    observer: node,
    stance: "for",
    data,
  });
}

function makeVerdict(
  kind: VerdictKind,
  node: string,
  sinceWallMs: number,
  confidence: number,
  evidence: Evidence,
): Verdict {
  const faultClass = kind === "disk-full" ? "hardware" : "unknown";
  return {
    kind,
    class: faultClass,
    subject: { kind: "node", id: node },
    cluster: null,
    confidence,
    evidence: [evidence],
    sinceWallMs,
  };
}

function openNodeIncident(draft: Draft, verdict: Verdict): void {
  const id = nextIncidentId(draft);
  const previous = listIncidents(draft)
    .filter((item) => item.cause.subject.id === verdict.subject.id && item.cause.kind === verdict.kind)
    .at(-1);
  putIncident(draft, {
    id,
    phase: "open",
    severity: severityOf(verdict),
    openedAt: draft.now.wallMs,
    beganAt: verdict.sinceWallMs,
    acknowledgedAt: null,
    acknowledgedBy: null,
    mitigatedAt: null,
    resolvedAt: null,
    closedAt: null,
    cluster: null,
    cause: verdict,
    symptoms: [],
    suspects: rankSuspects(draft.state, verdict),
    impact: {
      writesUnavailableFrom: null,
      writesUnavailableTo: null,
      writesUnavailableMs: null,
      acknowledgedLost: null,
      acknowledged: null,
      redundancyReducedFrom: null,
      redundancyReducedTo: null,
    },
    actionIds: [],
    lastSignalAt: draft.now.wallMs,
    follows: previous?.id ?? null,
  });
  for (const item of verdict.evidence) {
    appendTimeline(draft, {
      incidentId: id,
      lane: "signal",
      kind: item.code,
      at: verdict.sinceWallMs,
      subject: verdict.subject,
      data: { ...item.data, stance: item.stance },
      actor: item.observer,
    });
  }
  appendTimeline(draft, {
    incidentId: id,
    lane: "verdict",
    kind: verdict.kind,
    subject: verdict.subject,
    data: { confidence: verdict.confidence },
    evidence: verdict.evidence,
  });
}

function resolveNodeIncident(draft: Draft, incident: Incident): void {
  const { wallMs } = draft.now;
  if (getIncident(draft, incident.id)?.resolvedAt !== null) return;
  patchIncident(draft, incident.id, {
    mitigatedAt: incident.mitigatedAt ?? wallMs,
    resolvedAt: wallMs,
    phase: "resolved",
  });
  appendTimeline(draft, {
    incidentId: incident.id,
    lane: "verdict",
    kind: "resolved",
    subject: incident.cause.subject,
    data: { durationMs: wallMs - incident.beganAt },
  });
}
