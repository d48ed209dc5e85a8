import type { Evidence, Suspect as IncidentSuspect, Localization } from "../../incident/types.ts";
import type { Suspect } from "../fusion.ts";
import type { TelemetryWindow } from "../telemetry.ts";
import { classOfCause, findTellingLog, isFreshRelease, nameCause } from "./causes.ts";
import { recordEvidence, recordLog, recordRelease } from "./evidence-record.ts";
import type { FaultFacts, ServiceFacts } from "./facts.ts";
import { findPath, reachesFrom } from "./paths.ts";

const suspectsShown = 4;
const evidenceShown = 6;
/** Below this a runner-up is not worth a line. */
const worthShowing = 0.005;
/** An answer below this needs to be settled by something else. */
const enough = 0.5;

export interface Explanation {
  readonly suspects: readonly IncidentSuspect[];
  readonly localization: Localization;
}

/** The ranking as the incident keeps it: named causes, evidence to open, why the others are not it, and what is missing. */
export function explain(
  window: TelemetryWindow,
  ranking: readonly Suspect[],
  facts: FaultFacts,
  tookMs: number,
): Explanation {
  const byName = new Map(facts.services.map((service) => [service.name, service]));
  const shown = ranking
    .slice(0, suspectsShown)
    .filter(({ confidence }, rank) => rank === 0 || confidence >= worthShowing);
  const suspects = shown.map((suspect, rank): IncidentSuspect => {
    const service = byName.get(suspect.node);
    const cause = nameCause(suspect, service, facts);
    const found = collectEvidence(suspect, service, window, facts);
    return {
      subject: { kind: "service", id: suspect.node },
      class: classOfCause[cause],
      confidence: Math.round(suspect.confidence * 1_000) / 1_000,
      cause,
      evidence: rank === 0 ? found : [...whyNot(suspect, shown[0]!, window), ...found],
    };
  });
  return { suspects, localization: describeSearch(window, suspects, facts, tookMs) };
}

function collectEvidence(
  suspect: Suspect,
  service: ServiceFacts | undefined,
  window: TelemetryWindow,
  facts: FaultFacts,
): Evidence[] {
  const own: Evidence[] = [];
  if (service !== undefined && isFreshRelease(service, facts)) own.push(recordRelease(service, facts));
  const log = findTellingLog(service) ?? service?.logs.find(({ level }) => level === "error" || level === "fatal");
  if (log !== undefined) own.push(recordLog(suspect.node, log));
  const measured = suspect.evidence.map((each) => recordEvidence(suspect.node, each, window, service));
  return [...own, ...measured].slice(0, evidenceShown);
}

/** A caller passes on what its callee does; anything else simply shows less. */
function whyNot(suspect: Suspect, first: Suspect, window: TelemetryWindow): Evidence[] {
  const isCaller = reachesFrom(window.edges, suspect.node).has(first.node);
  const isCallee = reachesFrom(window.edges, first.node).has(suspect.node);
  const code = isCaller ? "passes-on" : isCallee ? "callee-is-sound" : "shows-less";
  const times = Math.round(Math.min(1_000, first.confidence / Math.max(suspect.confidence, 1e-6)));
  return [{ code, observer: "control-plane", stance: "against", data: { first: first.node, times } }];
}

function describeSearch(
  window: TelemetryWindow,
  suspects: readonly IncidentSuspect[],
  facts: FaultFacts,
  tookMs: number,
): Localization {
  const [first] = suspects;
  return {
    at: facts.now,
    faultAt: facts.faultAt,
    tookMs: Math.round(tookMs * 10) / 10,
    path: first === undefined ? [facts.entry] : findPath(window.edges, facts.entry, first.subject.id),
    edges: window.edges,
    services: window.nodes.length,
    spans: window.current.spans?.op.length ?? 0,
    missing: findMissing(window, suspects, facts),
  };
}

/** What would settle it, when the evidence is not enough. */
function findMissing(
  window: TelemetryWindow,
  suspects: readonly IncidentSuspect[],
  facts: FaultFacts,
): Localization["missing"] {
  const [first, second] = suspects;
  if (first !== undefined && first.confidence >= enough) return [];
  const missing: { code: string; data: Evidence["data"] }[] = [];
  const list = (services: readonly ServiceFacts[]) =>
    services
      .map(({ name }) => name)
      .slice(0, 5)
      .join(", ");
  const silent = facts.services.filter(({ kind, tracesItself }) => kind === "service" && !tracesItself);
  const unmeasured = facts.services.filter(({ kind, measuresItself }) => kind === "service" && !measuresItself);
  if (silent.length > 0) missing.push({ code: "spans-of", data: { services: list(silent) } });
  if (unmeasured.length > 0) missing.push({ code: "process-metrics-of", data: { services: list(unmeasured) } });
  const seenForMs = facts.now - facts.faultAt;
  if (seenForMs < 10 * window.stepS * 1_000) missing.push({ code: "more-time", data: { seenForMs } });
  if (first !== undefined && second !== undefined)
    missing.push({ code: "tell-apart", data: { first: first.subject.id, second: second.subject.id } });
  if (missing.length === 0) missing.push({ code: "more-telemetry", data: {} });
  return missing;
}
