import { appendTimeline, type Draft, listIncidents, nextIncidentId, putIncident } from "../draft.ts";
import { severityOf } from "../incident/severity.ts";
import type { Verdict } from "../incident/types.ts";

export function openServiceIncident(draft: Draft, verdict: Verdict): void {
  const { wallMs } = draft.now;
  const previous = listIncidents(draft)
    .filter(({ cause }) => cause.kind === verdict.kind && cause.subject.id === verdict.subject.id)
    .at(-1);
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
    cluster: null,
    cause: verdict,
    symptoms: [],
    // Nobody is suspected before the telemetry was asked.
    suspects: [],
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
    lastSignalAt: wallMs,
    follows: previous?.id ?? null,
    localization: null,
    recovery: null,
    mergedInto: null,
  });
  recordSignal(draft, id, verdict);
  appendTimeline(draft, {
    incidentId: id,
    lane: "verdict",
    kind: verdict.kind,
    subject: verdict.subject,
    data: { confidence: verdict.confidence },
    evidence: verdict.evidence,
  });
}

/** The facts behind a verdict, each at the time it was seen. */
export function recordSignal(draft: Draft, incidentId: string, verdict: Verdict): void {
  for (const item of verdict.evidence) {
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
