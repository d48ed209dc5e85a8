import { appendTimeline, type Draft, nextIncidentId, patchIncident, putIncident } from "../draft.ts";
import { severityOf } from "./severity.ts";
import { rankSuspects } from "./suspects.ts";
import type { Incident, Verdict } from "./types.ts";

/** How a verdict enters the record, whoever judged it: an incident of its own, or a symptom of one that is open. */

export function openIncident(
  draft: Draft,
  verdict: Verdict,
  options: { readonly cluster: string | null; readonly follows: string | null },
): string {
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
    cluster: options.cluster,
    cause: verdict,
    symptoms: [],
    suspects: rankSuspects(draft.state, verdict),
    impact: {
      writesUnavailableFrom: null,
      writesUnavailableTo: null,
      writesUnavailableMs: null,
      acknowledgedLost: null,
      acknowledged: null,
      redundancyReducedFrom: options.cluster === null ? null : wallMs,
      redundancyReducedTo: null,
    },
    actionIds: [],
    lastSignalAt: wallMs,
    follows: options.follows,
  });
  recordSignals(draft, id, verdict, verdict.evidence);
  const data = { confidence: verdict.confidence };
  recordVerdict(draft, id, verdict, options.cluster === null ? data : { ...data, cluster: options.cluster });
  return id;
}

/** Adds a symptom; a graver verdict becomes the cause, and what was the cause a symptom. */
export function joinVerdict(draft: Draft, incident: Incident, verdict: Verdict): void {
  const adopts = severityOf(verdict) < incident.severity;
  patchIncident(draft, incident.id, {
    cause: adopts ? verdict : incident.cause,
    symptoms: adopts ? [...incident.symptoms, incident.cause] : [...incident.symptoms, verdict],
    severity: Math.min(incident.severity, severityOf(verdict)) as Incident["severity"],
    suspects: rankSuspects(draft.state, adopts ? verdict : incident.cause),
    lastSignalAt: draft.now.wallMs,
    // A new fatal fault in a mitigated incident: it is not mitigated any more.
    mitigatedAt: adopts || severityOf(verdict) <= 2 ? null : incident.mitigatedAt,
    phase: incident.acknowledgedAt === null ? "open" : "acknowledged",
  });
  recordSignals(draft, incident.id, verdict, verdict.evidence);
  recordVerdict(draft, incident.id, verdict, { confidence: verdict.confidence, joined: true });
}

function recordVerdict(
  draft: Draft,
  incidentId: string,
  verdict: Verdict,
  data: Readonly<Record<string, string | number | boolean>>,
): void {
  appendTimeline(draft, {
    incidentId,
    lane: "verdict",
    kind: verdict.kind,
    subject: verdict.subject,
    data,
    evidence: verdict.evidence,
  });
}

/** Every fact behind the verdict gets its own place on the axis, at the time it was seen. */
export function recordSignals(draft: Draft, incidentId: string, verdict: Verdict, evidence: Verdict["evidence"]): void {
  for (const item of evidence) {
    appendTimeline(draft, {
      incidentId,
      lane: "signal",
      kind: item.code,
      at: item.at ?? verdict.sinceWallMs,
      subject: verdict.subject,
      data: { ...item.data, stance: item.stance },
      actor: item.observer,
    });
  }
}
