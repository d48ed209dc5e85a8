import {
  appendTimeline,
  type Draft,
  demand,
  getIncident,
  nextIncidentId,
  patchIncident,
  putIncident,
} from "../draft.ts";
import { severityOf } from "../incident/severity.ts";
import { rankSuspects } from "../incident/suspects.ts";
import { findOpenIncident } from "../incident/sync-incidents.ts";
import type { Incident, Verdict } from "../incident/types.ts";
import type { RedisDocument } from "./servers.ts";

/** Opens, joins and ends the incident of a Redis cluster. `mitigated`: writes go on; `whole`: everything is as it was promised. */
export function syncRedisIncident(
  draft: Draft,
  record: RedisDocument,
  verdict: Verdict | null,
  state: { readonly mitigated: boolean; readonly whole: boolean },
): Incident | null {
  const open = findOpenIncident(draft, record.id);
  if (verdict !== null) {
    if (open === null) return openIncident(draft, record, verdict);
    joinIncident(draft, open, verdict);
    return getIncident(draft, open.id);
  }
  if (open === null) return null;
  const { wallMs } = draft.now;
  if (open.mitigatedAt === null && state.mitigated) {
    patchIncident(draft, open.id, { mitigatedAt: wallMs, phase: "mitigated" });
    tell(draft, open.id, record, "mitigated", { primary: record.primary, epoch: record.epoch });
  }
  if (!state.whole) return open;
  const current = demand(getIncident(draft, open.id), open.id);
  patchIncident(draft, open.id, {
    resolvedAt: wallMs,
    mitigatedAt: current.mitigatedAt ?? wallMs,
    phase: "resolved",
    impact: { ...current.impact, redundancyReducedTo: wallMs },
  });
  tell(draft, open.id, record, "resolved", { durationMs: wallMs - open.beganAt });
  return null;
}

function openIncident(draft: Draft, record: RedisDocument, verdict: Verdict): Incident {
  const { wallMs } = draft.now;
  const id = nextIncidentId(draft);
  putIncident(draft, {
    id,
    phase: "open",
    severity: severityOf(verdict),
    openedAt: wallMs,
    beganAt: verdict.sinceWallMs,
    acknowledgedAt: null,
    acknowledgedBy: null,
    mitigatedAt: null,
    resolvedAt: null,
    closedAt: null,
    cluster: record.id,
    cause: verdict,
    symptoms: [],
    suspects: rankSuspects(draft.state, verdict),
    impact: {
      writesUnavailableFrom: null,
      writesUnavailableTo: null,
      writesUnavailableMs: null,
      acknowledgedLost: null,
      acknowledged: null,
      redundancyReducedFrom: wallMs,
      redundancyReducedTo: null,
    },
    actionIds: [],
    lastSignalAt: wallMs,
    follows: null,
  });
  recordVerdict(draft, id, verdict, verdict.evidence);
  return demand(getIncident(draft, id), id);
}

/** The same verdict with more witnesses, or another one of the same fault: once each. */
function joinIncident(draft: Draft, incident: Incident, verdict: Verdict): void {
  const known = [incident.cause, ...incident.symptoms].find(
    (each) => each.kind === verdict.kind && each.subject.id === verdict.subject.id,
  );
  if (known === undefined) {
    patchIncident(draft, incident.id, {
      symptoms: [...incident.symptoms, verdict].slice(-16),
      lastSignalAt: draft.now.wallMs,
      mitigatedAt: null,
      phase: incident.acknowledgedAt === null ? "open" : "acknowledged",
    });
    return recordVerdict(draft, incident.id, verdict, verdict.evidence);
  }
  const seen = new Set(known.evidence.map((item) => `${item.code}/${item.observer}`));
  const fresh = verdict.evidence.filter((item) => !seen.has(`${item.code}/${item.observer}`));
  if (fresh.length === 0) return;
  const merged = {
    ...known,
    confidence: Math.max(known.confidence, verdict.confidence),
    evidence: [...known.evidence, ...fresh],
  };
  patchIncident(draft, incident.id, {
    cause: incident.cause === known ? merged : incident.cause,
    symptoms: incident.symptoms.map((each) => (each === known ? merged : each)),
    lastSignalAt: draft.now.wallMs,
  });
  recordSignals(draft, incident.id, verdict, fresh);
}

function recordVerdict(draft: Draft, id: string, verdict: Verdict, evidence: Verdict["evidence"]): void {
  recordSignals(draft, id, verdict, evidence);
  appendTimeline(draft, {
    incidentId: id,
    lane: "verdict",
    kind: verdict.kind,
    subject: verdict.subject,
    data: { confidence: verdict.confidence, cluster: verdict.cluster },
    evidence,
  });
}

function recordSignals(draft: Draft, id: string, verdict: Verdict, evidence: Verdict["evidence"]): void {
  for (const item of evidence) {
    appendTimeline(draft, {
      incidentId: id,
      lane: "signal",
      kind: item.code,
      at: item.at ?? verdict.sinceWallMs,
      subject: verdict.subject,
      data: { ...item.data, stance: item.stance },
      actor: item.observer,
    });
  }
}

function tell(
  draft: Draft,
  incidentId: string,
  record: RedisDocument,
  kind: string,
  data: Record<string, string | number | null>,
): void {
  appendTimeline(draft, { incidentId, lane: "verdict", kind, subject: { kind: "cluster", id: record.id }, data });
}
