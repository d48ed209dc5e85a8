import { appendTimeline, type Draft, listIncidents, patchIncident } from "../draft.ts";
import { recordSignals } from "../incident/record-verdict.ts";
import { severityOf } from "../incident/severity.ts";
import type { Evidence, Incident, Verdict } from "../incident/types.ts";
import { mutesAlerts } from "../topology/maintenance.ts";
import { createServiceLive, measureCoversMs, takeMeasure } from "./judge-indicators.ts";
import { openServiceIncident } from "./service-incident.ts";
import type { ServiceLive, ServiceMeasure } from "./types.ts";

/** Measures come once a second. A breach opens after this many in a row, and ends after that many. */
const openAfter = 3;
const endAfter = 15;
/** What comes back in the same way within this time after its end is the same fault flapping; anything else is a fault of its own. */
const flapMs = 30_000;
/** A rule speaks of minutes: what it still says this long after a fault ended is that fault's echo. */
const echoMs = 120_000;
/** An infrastructure fault explains what its clients suffer, for this long after its end too. */
const aftermathMs = 45_000;
/** Faults of a node that take its services along. A busy or a full machine may be as much the consequence as the cause: it hides none. */
const takesServicesAlong: ReadonlySet<string> = new Set(["lost-node", "dead-node"]);
/** Services that were not measured for this long are forgotten. */
const services = 1_000;

/** Judges the services' indicators: one incident for what the users of an entry feel, the rest are its symptoms. */
export function evaluateServices(draft: Draft, measures: readonly ServiceMeasure[]): void {
  const { live } = draft.state;
  if (live.self.frozen !== null) return;
  forgetAbsent(live.services, measures);
  const isCalm = openServiceIncidents(draft).length === 0;
  for (const measure of measures.slice(0, services)) {
    const known = live.services.get(measure.name) ?? createServiceLive(measure);
    live.services.set(measure.name, known);
    takeMeasure(known, measure, draft.now.wallMs, isCalm);
  }
  const bad = [...live.services.values()].filter(
    (service) => service.badInRow >= openAfter && !isMuted(draft, service),
  );
  for (const service of bad.filter((each) => each.measure.isEntry)) placeEntry(draft, service);
  for (const service of bad.filter((each) => !each.measure.isEntry)) placeInner(draft, service);
  for (const incident of openServiceIncidents(draft)) {
    mergeIntoInfrastructure(draft, incident);
    endWhenSound(draft, incident);
  }
}

export function openServiceIncidents(draft: Draft): Incident[] {
  return listIncidents(draft).filter((each) => each.cause.kind === "service-degraded" && each.resolvedAt === null);
}

/** Services that an incident of services is about, open or just over: its own, and everything that it reaches. */
export function servicesExplained(draft: Draft): ReadonlySet<string> {
  const explained = new Set<string>();
  const since = draft.now.wallMs - echoMs;
  for (const { cause, symptoms, resolvedAt } of listIncidents(draft)) {
    if (cause.kind !== "service-degraded" || (resolvedAt ?? Number.POSITIVE_INFINITY) < since) continue;
    for (const { subject } of [cause, ...symptoms]) {
      explained.add(subject.id);
      for (const name of draft.state.live.services.get(subject.id)?.measure.reaches ?? []) explained.add(name);
    }
  }
  return explained;
}

function forgetAbsent(known: Map<string, ServiceLive>, measures: readonly ServiceMeasure[]): void {
  const present = new Set(measures.map(({ name }) => name));
  for (const name of known.keys()) if (!present.has(name)) known.delete(name);
}

function isMuted(draft: Draft, { measure }: ServiceLive): boolean {
  const nodes = measure.nodes.map((id) => draft.state.durable.nodes.get(id)).filter((node) => node !== undefined);
  return nodes.length > 0 && nodes.every((node) => mutesAlerts(node.maintenance, draft.now.wallMs));
}

function judge(draft: Draft, { name, breach, badSinceMs }: ServiceLive): Verdict {
  const evidence: Evidence = {
    code: breach?.indicator ?? "error-share",
    observer: name,
    stance: "for",
    data: tellBreach(breach),
    at: badSinceMs ?? draft.now.wallMs,
  };
  return {
    kind: "service-degraded",
    class: "unknown",
    subject: { kind: "service", id: name },
    cluster: null,
    confidence: 0.95,
    evidence: [evidence],
    // Half of what the first bad measure covered had to be bad already.
    sinceWallMs: (badSinceMs ?? draft.now.wallMs) - measureCoversMs / 2,
  };
}

function tellBreach(breach: ServiceLive["breach"]): Evidence["data"] {
  if (breach === null) return {};
  const { indicator, value, normal } = breach;
  switch (indicator) {
    case "error-share":
      return { percent: Math.round(value * 1_000) / 10, normalPercent: Math.round(normal * 1_000) / 10 };
    case "latency-p95":
      return { p95Ms: Math.round(value), normalMs: Math.round(normal) };
    case "memory-growth":
      return { valueBytes: Math.round(value), normalBytes: Math.round(normal) };
    default:
      return indicator satisfies never;
  }
}

function placeEntry(draft: Draft, service: ServiceLive): void {
  const infrastructure = findInfrastructure(draft, service.measure);
  if (infrastructure !== null) return join(draft, infrastructure, judge(draft, service));
  const open = openServiceIncidents(draft).find((incident) => isSameFault(draft, incident, service));
  if (open !== undefined) return join(draft, open, judge(draft, service));
  const ended = findFlapping(draft, service);
  if (ended !== null) return reopen(draft, ended, judge(draft, service));
  openServiceIncident(draft, judge(draft, service));
}

/** What its users feel is told by the entries that call it; what nobody feels yet is told by itself. */
function placeInner(draft: Draft, service: ServiceLive): void {
  const above = [...openServiceIncidents(draft)].find((incident) => isSameFault(draft, incident, service));
  if (above !== undefined) join(draft, above, judge(draft, service));
  else if (service.breach?.indicator === "memory-growth") openServiceIncident(draft, judge(draft, service));
}

/** The same service, one that calls it, or two entries that stand on the same ones. */
function isSameFault(draft: Draft, incident: Incident, { name, measure }: ServiceLive): boolean {
  const subject = incident.cause.subject.id;
  if (subject === name) return true;
  const reached = new Set(draft.state.live.services.get(subject)?.measure.reaches ?? []);
  return reached.has(name) || measure.reaches.some((each) => each === subject || reached.has(each));
}

/** The fault of a cluster that this service stands on, or of a node that it runs on. */
function findInfrastructure(draft: Draft, { clusters, nodes }: ServiceMeasure): Incident | null {
  const { wallMs } = draft.now;
  const found = listIncidents(draft).find((incident) => {
    if (incident.cause.kind === "service-degraded" || incident.severity > 3) return false;
    if (incident.resolvedAt !== null && wallMs - incident.resolvedAt > aftermathMs) return false;
    // A standby that is gone takes no write away from anybody.
    const stopsWrites = incident.cause.kind.endsWith("-primary");
    const recent = incident.mitigatedAt === null || wallMs - incident.mitigatedAt < aftermathMs;
    if (incident.cluster !== null) return stopsWrites && recent && clusters.includes(incident.cluster);
    const { kind, subject } = incident.cause;
    return takesServicesAlong.has(kind) && nodes.includes(subject.id);
  });
  return found ?? null;
}

function findFlapping(draft: Draft, { name, breach }: ServiceLive): Incident | null {
  const since = draft.now.wallMs - flapMs;
  const ended = listIncidents(draft).find(
    ({ cause, phase, resolvedAt, mergedInto }) =>
      cause.kind === "service-degraded" &&
      cause.subject.id === name &&
      cause.evidence.some(({ code }) => code === breach?.indicator) &&
      phase === "resolved" &&
      (mergedInto ?? null) === null &&
      (resolvedAt ?? 0) > since,
  );
  return ended ?? null;
}

function join(draft: Draft, incident: Incident, verdict: Verdict): void {
  const known = [incident.cause, ...incident.symptoms];
  if (known.some(({ kind, subject }) => kind === verdict.kind && subject.id === verdict.subject.id)) return;
  patchIncident(draft, incident.id, {
    symptoms: [...incident.symptoms, verdict],
    severity: Math.min(incident.severity, severityOf(verdict)) as Incident["severity"],
    lastSignalAt: draft.now.wallMs,
  });
  recordSignals(draft, incident.id, verdict, verdict.evidence);
  appendTimeline(draft, {
    incidentId: incident.id,
    lane: "verdict",
    kind: verdict.kind,
    subject: verdict.subject,
    data: { confidence: verdict.confidence, joined: true },
    evidence: verdict.evidence,
  });
}

function reopen(draft: Draft, incident: Incident, verdict: Verdict): void {
  patchIncident(draft, incident.id, {
    phase: incident.acknowledgedAt === null ? "open" : "acknowledged",
    mitigatedAt: null,
    resolvedAt: null,
    lastSignalAt: draft.now.wallMs,
  });
  recordSignals(draft, incident.id, verdict, verdict.evidence);
  appendTimeline(draft, {
    incidentId: incident.id,
    lane: "verdict",
    kind: "flapped",
    subject: verdict.subject,
    data: { afterMs: draft.now.wallMs - (incident.resolvedAt ?? draft.now.wallMs) },
    evidence: verdict.evidence,
  });
}

/** The broader cause adopts the narrower one: a primary that died a moment before explains what its clients feel. */
function mergeIntoInfrastructure(draft: Draft, incident: Incident): void {
  const measure = draft.state.live.services.get(incident.cause.subject.id)?.measure;
  const into = measure === undefined ? null : findInfrastructure(draft, measure);
  if (into === null || into.beganAt > incident.openedAt + measureCoversMs) return;
  join(draft, into, incident.cause);
  end(draft, incident, "merged", { into: into.id });
  patchIncident(draft, incident.id, { mergedInto: into.id });
}

function endWhenSound(draft: Draft, incident: Incident): void {
  if (draft.incidents.get(incident.id)?.resolvedAt) return;
  const ended = [incident.cause, ...incident.symptoms].map((verdict) => hasEnded(draft, verdict));
  if (ended.includes(false) || !ended.includes(true)) return;
  end(draft, incident, "resolved", { durationMs: draft.now.wallMs - incident.beganAt });
}

/** Null: nothing can be told of it, or it follows the entries that call it. What users feel ends only before their eyes; memory also with its process. */
function hasEnded(draft: Draft, { evidence, subject }: Verdict): boolean | null {
  const service = draft.state.live.services.get(subject.id);
  if (evidence.some(({ code }) => code === "memory-growth"))
    return service === undefined || service.goodInRow >= endAfter;
  if (service?.measure.isEntry !== true) return null;
  return service.goodInRow >= endAfter && service.measure.requests > 0;
}

function end(draft: Draft, incident: Incident, kind: string, data: Evidence["data"]): void {
  const { wallMs } = draft.now;
  patchIncident(draft, incident.id, {
    mitigatedAt: incident.mitigatedAt ?? wallMs,
    resolvedAt: wallMs,
    phase: "resolved",
  });
  appendTimeline(draft, { incidentId: incident.id, lane: "verdict", kind, subject: incident.cause.subject, data });
}
