import { type Draft, listIncidents, patchIncident } from "../draft.ts";
import { raisedVerdicts, strainedNow } from "../monitoring/evaluate-monitoring.ts";
import type { CauseRule } from "../policy/types.ts";
import { clusterBehind } from "./cluster-behind.ts";
import { type HostFault, isHostFault, movesAway } from "./host-faults.ts";
import { findHosted, type Hosted, type IllHost, targetStrained } from "./hosted.ts";
import { ruleFor } from "./localization.ts";
import { beginByItself } from "./recovery-by-cause.ts";
import { namedAbove } from "./severity.ts";
import type { Incident, SuggestedRecovery, Verdict } from "./types.ts";

/** A host that an incident names, with what is wrong with it. */
interface NamedHost extends IllHost {
  readonly confidence: number;
  /** The host's own agent has said so for as long as its rule asks. */
  readonly isRaised: boolean;
}

/**
 * What an ill host carries does well elsewhere: a PostgreSQL primary is switched over, a Redis Cluster master drained. Offered on the incident that
 * names the host, withdrawn with its reason, and carried out by the plans that a person would run.
 */
export function offerMoves(draft: Draft): void {
  for (const incident of listIncidents(draft)) {
    if (incident.resolvedAt === null) offerMove(draft, incident);
  }
}

function offerMove(draft: Draft, incident: Incident): void {
  const now = incident.recovery ?? null;
  if (now !== null && (now.state === "requested" || !movesAway(now.action))) return;
  const offer = makeOffer(draft, incident, now);
  if (offer === null) {
    if (now?.state === "offered") patchIncident(draft, incident.id, { recovery: null });
    return;
  }
  // What was done or failed stays told until something else of the same incident has to be left.
  if (now !== null && now.state !== "offered" && now.leaves === offer.leaves) return;
  if (now === null || !isSame(now, offer)) patchIncident(draft, incident.id, { recovery: offer });
  if (offer.automatic && offer.reason === "") beginByItself(draft, incident.id, offer);
}

function isSame(one: SuggestedRecovery, other: SuggestedRecovery): boolean {
  const tell = ({ state, action, service, leaves, target, cause, automatic, reason }: SuggestedRecovery) =>
    JSON.stringify([state, action, service, leaves, target, cause, automatic, reason]);
  return tell(one) === tell(other);
}

function makeOffer(draft: Draft, incident: Incident, now: SuggestedRecovery | null): SuggestedRecovery | null {
  const named = findNamedHost(draft, incident, now);
  const hosted = named === null ? null : findHosted(draft, named, now?.state === "offered" ? now : null);
  if (named === null || hosted === null) return null;
  const rule = ruleFor(draft, named.cause);
  if (rule.mode === "off") return null;
  // A refusal stays until something about the offer changes: asking again every moment would not change the answer.
  const wasRefused = now?.state === "offered" && now.reason === "refused" && now.leaves === hosted.leaves;
  return {
    action: hosted.action,
    service: hosted.service,
    leaves: hosted.leaves,
    target: hosted.target,
    cause: named.cause,
    state: "offered",
    automatic: rule.mode === "automatic",
    reason: holdReason(named, hosted, rule) ?? (wasRefused ? "refused" : ""),
    by: null,
    requestedAt: null,
    endedAt: null,
    detail: wasRefused ? now.detail : null,
  };
}

/** Why it does not run by itself; null when it may. */
function holdReason(named: NamedHost, hosted: Hosted, rule: CauseRule): string | null {
  if (hosted.held === targetStrained) return targetStrained;
  if (rule.mode !== "automatic") return "policy-suggests";
  // What its callers measured of a database never acts: the host's own agent has to have said so, for as long as its rule asks.
  if (!named.isRaised) return "not-for-long-enough";
  if (named.confidence < rule.above) return "not-sure-enough";
  return hosted.held;
}

/** By its own verdicts, or as the host of the database that the localizer names first. */
function findNamedHost(draft: Draft, incident: Incident, now: SuggestedRecovery | null): NamedHost | null {
  for (const { subject } of [incident.cause, ...incident.symptoms]) {
    const raised = subject.kind === "node" ? findRaised(draft, subject.id) : undefined;
    if (raised !== undefined) return nameHost(subject.id, raised, raised.confidence);
  }
  const [first] = incident.suspects;
  if (first?.subject.kind !== "service" || first.confidence < namedAbove) return null;
  const primary = clusterBehind(draft, first.subject.id)?.primary ?? null;
  if (primary === null) return null;
  const raised = findRaised(draft, primary);
  if (raised !== undefined) return nameHost(primary, raised, Math.min(first.confidence, raised.confidence));
  // Not for long enough to be a verdict: enough for a person to decide upon, and what was offered so does not come and go with each reading.
  const [strain] = strainedNow(draft, primary).filter(isHostFault);
  const cause = strain ?? (now?.state === "offered" && now.leaves === primary ? now.cause : undefined);
  return cause === undefined ? null : { node: primary, cause, confidence: first.confidence, isRaised: false };
}

function nameHost(node: string, { kind }: Verdict & { readonly kind: HostFault }, confidence: number): NamedHost {
  return { node, cause: kind, confidence, isRaised: true };
}

function findRaised(draft: Draft, node: string): (Verdict & { readonly kind: HostFault }) | undefined {
  return raisedVerdicts(draft, "node", node).find((verdict): verdict is Verdict & { readonly kind: HostFault } =>
    isHostFault(verdict.kind),
  );
}
