import { answerChangeRequest, listServices } from "../changes/index.ts";
import { documentKey } from "../documents.ts";
import { appendAudit, appendTimeline, type Draft, getIncident, listIncidents, patchIncident } from "../draft.ts";
import type { Actor } from "../event.ts";
import type { Incident, RecoveryWork, SuggestedRecovery } from "./types.ts";

type Data = Readonly<Record<string, string | number | boolean | null>>;

interface Refusal {
  readonly code: string;
  readonly data: Data;
}

const holdfast: Actor = { id: "holdfast", name: "holdfast", role: "system" };

/** A person takes the suggestion. Answers with a refusal (nothing has begun then), or null. */
export function requestRecovery(draft: Draft, incident: Incident, actor: Actor): Refusal | null {
  const offered = incident.recovery ?? null;
  if (offered === null) return { code: "nothing-suggested", data: {} };
  if (offered.state === "requested") return { code: "recovery-under-way", data: {} };
  return begin(draft, incident.id, offered, actor);
}

/** It may run by itself, and does. What can't begin now stays an offer that says why. */
export function beginByItself(draft: Draft, incidentId: string, offered: SuggestedRecovery): void {
  const refusal = begin(draft, incidentId, offered, holdfast);
  if (refusal === null) return;
  patchIncident(draft, incidentId, { recovery: { ...offered, reason: "refused", detail: refusal.code } });
}

/** The request and the record of what carries it out are one commit: neither is ever without the other. */
function begin(draft: Draft, incidentId: string, offered: SuggestedRecovery, actor: Actor): Refusal | null {
  const work = openWork(draft, incidentId, offered, actor);
  if (work !== null && "code" in work) return work;
  const by = actor.name;
  const automatic = actor.role === "system";
  const { action, service } = offered;
  patchIncident(draft, incidentId, {
    recovery: {
      ...offered,
      state: "requested",
      by,
      automatic,
      requestedAt: draft.now.wallMs,
      endedAt: null,
      detail: null,
      work,
    },
  });
  appendTimeline(draft, {
    incidentId,
    lane: "action",
    kind: `${action}-requested`,
    subject: { kind: "service", id: service },
    data: { service, automatic, work: work?.id ?? null },
    actor: by,
  });
  appendAudit(draft, {
    actor: by,
    actorRole: actor.role,
    verb: `${action}-requested`,
    subject: `service:${service}`,
    before: null,
    after: { incident: incidentId, automatic, work: work?.id ?? null },
    reason: incidentId,
  });
  return null;
}

/** Services whose releases agents keep are recovered by a change like any other; null: a supervisor outside acts on this one. */
function openWork(
  draft: Draft,
  incidentId: string,
  { action, service }: SuggestedRecovery,
  actor: Actor,
): RecoveryWork | Refusal | null {
  if (!listServices(draft.state).includes(service)) return null;
  const reason = `recovery by cause, ${incidentId}`;
  const answer = answerChangeRequest(
    draft,
    action === "restart-service"
      ? { kind: "start-restart", service, reason }
      : { kind: "start-rollback", service, version: null, reason },
    actor,
  );
  return answer.ok ? { kind: "change", id: String(answer.data.change) } : { code: answer.code, data: answer.data };
}

/**
 * The outcome of a recovery is the end of what carries it out, told in the same commit as that end: a control plane that was started again
 * follows what it finds, and tells nothing twice.
 */
export function followRecoveries(draft: Draft): void {
  for (const { id, recovery } of listIncidents(draft)) {
    if (recovery?.state !== "requested" || !recovery.work) continue;
    const outcome = outcomeOf(draft, recovery.work);
    if (outcome !== null) endRecovery(draft, id, recovery, outcome.ok, outcome.detail);
  }
}

/** Null while it goes on. */
function outcomeOf(draft: Draft, { id }: RecoveryWork): { readonly ok: boolean; readonly detail: string } | null {
  const key = documentKey("change", id);
  const change = draft.documents.get(key) ?? draft.state.durable.documents.get(key);
  if (change?.kind !== "change") return { ok: false, detail: `${id} is not in the records any more.` };
  if (change.closedAt === null) return null;
  const { phase, fault, service, version } = change;
  return { ok: phase === "done" && fault === null, detail: `${id} (${service} ${version}): ${fault?.code ?? phase}.` };
}

/** What a supervisor outside says. Only the answer to the request that is open counts, however often it comes. */
export function recordRecovery(
  draft: Draft,
  { incidentId, requestedAt, ok, detail }: { incidentId: string; requestedAt: number; ok: boolean; detail: string },
): void {
  const recovery = getIncident(draft, incidentId)?.recovery ?? null;
  if (recovery?.state !== "requested" || recovery.requestedAt !== requestedAt || recovery.work) return;
  endRecovery(draft, incidentId, recovery, ok, detail);
}

function endRecovery(draft: Draft, incidentId: string, recovery: SuggestedRecovery, ok: boolean, detail: string): void {
  const { action, service, by } = recovery;
  const state = ok ? "done" : "failed";
  patchIncident(draft, incidentId, { recovery: { ...recovery, state, endedAt: draft.now.wallMs, detail } });
  appendTimeline(draft, {
    incidentId,
    lane: "action",
    kind: `${action}-${state}`,
    subject: { kind: "service", id: service },
    data: { service, detail },
    actor: by ?? "holdfast",
  });
}
