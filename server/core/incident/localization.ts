import { listProgram } from "../changes/programs.ts";
import { appendTimeline, type Draft, getIncident, patchIncident } from "../draft.ts";
import type { FaultLocalized } from "../event.ts";
import { causeNames } from "../localization/explain/causes.ts";
import { type CauseRule, defaultCauseRule } from "../policy/types.ts";
import { holdsAutomation } from "../topology/maintenance.ts";
import { hostFaults, movesAway } from "./host-faults.ts";
import { beginByItself } from "./recovery-by-cause.ts";
import { namedAbove } from "./severity.ts";
import type { Incident, SuggestedRecovery, Suspect } from "./types.ts";

/** What the localizer found becomes part of the incident; a changed answer is an entry of its own, so that nothing changes silently. */
export function recordLocalization(draft: Draft, event: FaultLocalized): void {
  const incident = getIncident(draft, event.incidentId);
  if (incident === null || incident.resolvedAt !== null) return;
  const { suspects, localization, remedy } = event;
  patchIncident(draft, incident.id, { suspects, localization });
  const [first] = suspects;
  if (first !== undefined && answerOf(first) !== answerOf(incident.suspects[0])) {
    appendTimeline(draft, {
      incidentId: incident.id,
      lane: "verdict",
      kind: "localized",
      subject: first.subject,
      data: { cause: first.cause, confidence: first.confidence },
      evidence: first.evidence.map(({ exhibit: _, ...item }) => item),
    });
  }
  suggest(draft, incident, first, remedy);
}

function answerOf(suspect: Suspect | undefined): string {
  return suspect === undefined ? "" : `${suspect.subject.id} ${suspect.cause}`;
}

/** What would end the fault. It runs itself where the policy for this cause says so and the answer is sure enough. */
function suggest(draft: Draft, incident: Incident, first: Suspect | undefined, remedy: FaultLocalized["remedy"]): void {
  const now = incident.recovery ?? null;
  if (now !== null && now.state !== "offered") return;
  if (remedy === null || first === undefined || first.confidence < namedAbove) {
    if (now !== null && !movesAway(now.action)) patchIncident(draft, incident.id, { recovery: null });
    return;
  }
  const rule = ruleFor(draft, first.cause);
  if (rule.mode === "off") return;
  const held = holdReason(draft, first, rule);
  const offered: SuggestedRecovery = {
    ...remedy,
    state: "offered",
    automatic: rule.mode === "automatic",
    reason: held ?? "",
    by: null,
    requestedAt: null,
    endedAt: null,
    detail: null,
  };
  patchIncident(draft, incident.id, { recovery: offered });
  if (held === null) beginByItself(draft, incident.id, offered);
}

/** Everything that a rule can be set for. */
export const policyCauses: readonly string[] = [...causeNames, ...hostFaults];

export function ruleFor(draft: Draft, cause: string): CauseRule {
  return draft.state.durable.policy.causes?.[cause] ?? defaultCauseRule;
}

/** Why it does not run by itself; null when it may. */
function holdReason(draft: Draft, first: Suspect, rule: CauseRule): string | null {
  if (rule.mode !== "automatic") return "policy-suggests";
  if (first.confidence < rule.above) return "not-sure-enough";
  if (!isSeenAtItself(first)) return "no-evidence-of-its-own";
  if (isHeld(draft, first.subject.id)) return "maintenance";
  return draft.state.live.self.frozen === null ? null : "automation-frozen";
}

/** Evidence that a service's process, its spans as a server or its log give of a fault. That it was released or calls something new is none. */
const ownEvidence =
  /^(?:excess-(?:cpu|memory|disk)(?:-bytes)?|excess-latency|lost-requests|self-time-excess|child-span-(?:missing|new)|log-template-(?:missing|new)|logs-new-error)$/;

/** Statistics of its callers alone never act: something has to have been measured at the very service. */
function isSeenAtItself({ subject, evidence }: Suspect): boolean {
  return evidence.some(
    ({ code, stance, observer }) => stance === "for" && observer === subject.id && ownEvidence.test(code),
  );
}

/** Somebody works on a node of this service and has asked for quiet. */
function isHeld({ state, now }: Draft, service: string): boolean {
  const nodes = new Set(state.live.services.get(service)?.measure.nodes ?? []);
  for (const { node } of listProgram(state, service)) nodes.add(node);
  return [...nodes].some((node) => holdsAutomation(state.durable.nodes.get(node)?.maintenance, now.wallMs));
}
