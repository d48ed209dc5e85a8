import {
  appendTimeline,
  type Draft,
  demand,
  getIncident,
  nextIncidentId,
  patchIncident,
  putIncident,
} from "../draft.ts";
import { severityOf } from "./severity.ts";
import { rankSuspects } from "./suspects.ts";
import type { Incident, TimelineEntry, Verdict } from "./types.ts";

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

/** What an incident already knows of the same fault of the same subject. */
export function findVerdict({ cause, symptoms }: Incident, { kind, subject }: Verdict): Verdict | undefined {
  return [cause, ...symptoms].find((item) => item.kind === kind && item.subject.id === subject.id);
}

/** The same verdict again: only what is newly seen is worth a commit. */
export function addEvidence(draft: Draft, incident: Incident, known: Verdict, verdict: Verdict): void {
  const seen = new Set(known.evidence.map((item) => `${item.code}/${item.observer}`));
  const fresh = verdict.evidence.filter((item) => !seen.has(`${item.code}/${item.observer}`));
  if (fresh.length === 0) return;
  const merged: Verdict = {
    ...known,
    confidence: Math.max(known.confidence, verdict.confidence),
    evidence: [...known.evidence, ...fresh],
  };
  const cause = incident.cause === known ? merged : incident.cause;
  patchIncident(draft, incident.id, {
    cause,
    symptoms: incident.symptoms.map((item) => (item === known ? merged : item)),
    suspects: rankSuspects(draft.state, cause),
    lastSignalAt: draft.now.wallMs,
  });
  recordSignals(draft, incident.id, verdict, fresh);
}

/** Whoever uses it is served again; the repair may go on. Said once. */
export function mitigateIncident(
  draft: Draft,
  incident: Incident,
  subject: TimelineEntry["subject"],
  data: TimelineEntry["data"],
): void {
  if (incident.mitigatedAt !== null) return;
  patchIncident(draft, incident.id, { mitigatedAt: draft.now.wallMs, phase: "mitigated" });
  appendTimeline(draft, { incidentId: incident.id, lane: "verdict", kind: "mitigated", subject, data });
}

/** Everything is as it was promised. Said once, whoever asks in the same batch. */
export function resolveIncident(draft: Draft, id: string, subject: TimelineEntry["subject"]): void {
  const incident = demand(getIncident(draft, id), id);
  if (incident.resolvedAt !== null) return;
  const { wallMs } = draft.now;
  const { impact } = incident;
  const reduced = impact.redundancyReducedFrom !== null;
  patchIncident(draft, id, {
    resolvedAt: wallMs,
    mitigatedAt: incident.mitigatedAt ?? wallMs,
    phase: "resolved",
    ...(reduced ? { impact: { ...impact, redundancyReducedTo: wallMs } } : {}),
  });
  const data = { durationMs: wallMs - incident.beganAt };
  appendTimeline(draft, { incidentId: id, lane: "verdict", kind: "resolved", subject, data });
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
