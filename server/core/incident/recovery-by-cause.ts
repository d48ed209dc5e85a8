import { answerChangeRequest, listServices } from "../changes/index.ts";
import { documentKey, getDocument } from "../documents.ts";
import {
  appendAudit,
  appendTimeline,
  type Draft,
  getAction,
  getCluster,
  getIncident,
  listIncidents,
  patchIncident,
} from "../draft.ts";
import type { Actor } from "../event.ts";
import { planAction } from "../recovery/preflight.ts";
import { runPlan } from "../recovery/run-plan.ts";
import { planMigration } from "../redis/plan.ts";
import { answerRedisRequest } from "../redis/requests.ts";
import { movesAway } from "./host-faults.ts";
import type { Incident, RecoveryWork, Subject, SuggestedRecovery } from "./types.ts";

type Data = Readonly<Record<string, string | number | boolean | null>>;

interface Refusal {
  readonly code: string;
  readonly data: Data;
}

interface Outcome {
  readonly ok: boolean;
  readonly detail: string;
}

const holdfast: Actor = { id: "holdfast", name: "holdfast", role: "system" };

/** A person takes the suggestion. Answers with a refusal (nothing has begun then), or null. */
export function requestRecovery(draft: Draft, incident: Incident, actor: Actor): Refusal | null {
  const offered = incident.recovery ?? null;
  if (offered === null) return { code: "nothing-suggested", data: {} };
  if (offered.state === "requested") return { code: "recovery-under-way", data: {} };
  // What it would have ended is over: a restart or a new primary would only hurt.
  if (incident.resolvedAt !== null) return { code: "incident-phase", data: { phase: incident.phase } };
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
  const subject = subjectOf(offered);
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
    subject,
    data: { ...tell(offered), automatic, work: work?.id ?? null },
    actor: by,
  });
  appendAudit(draft, {
    actor: by,
    actorRole: actor.role,
    verb: `${action}-requested`,
    subject: `${subject.kind}:${service}`,
    before: null,
    after: { incident: incidentId, automatic, work: work?.id ?? null },
    reason: incidentId,
  });
  return null;
}

/** By the plans that a person would run, under their checks as they are now; null: a supervisor outside acts on this service. */
function openWork(
  draft: Draft,
  incidentId: string,
  { action, service, leaves, target }: SuggestedRecovery,
  actor: Actor,
): RecoveryWork | Refusal | null {
  const reason = `recovery by cause, ${incidentId}`;
  const { state, now } = draft;
  switch (action) {
    case "restart-service":
    case "roll-back-release": {
      if (!listServices(state).includes(service)) return null;
      const answer = answerChangeRequest(
        draft,
        action === "restart-service"
          ? { kind: "start-restart", service, reason }
          : { kind: "start-rollback", service, version: null, reason },
        actor,
      );
      return answer.ok ? { kind: "change", id: String(answer.data.change) } : answer;
    }
    case "switch-over": {
      const cluster = getCluster(draft, service);
      // Somebody else may have been quicker: what is left must still be the primary.
      if (cluster === null || cluster.primary !== leaves || target == null)
        return { code: "nothing-suggested", data: {} };
      const { planHash } = planAction(state, { kind: "switchover", cluster: service, target }, now);
      const request = { kind: "switchover", cluster: service, target, planHash, reason } as const;
      const automatic = actor.role === "system";
      const answer = runPlan(draft, request, { by: actor.name, automatic, incidentId });
      return answer.ok ? { kind: "action", id: String(answer.data.action) } : answer;
    }
    case "drain-shard": {
      const record = getDocument(draft, "redis", service);
      if (record === null) return { code: "unknown-cluster", data: { cluster: service } };
      const shard = leaves ?? null;
      const { planHash } = planMigration(state, record, { kind: "drain", shard, weights: {} }, now);
      const drain = {
        migration: "drain",
        shard,
        weights: {},
        maxSlotsPerSecond: null,
        keep: null,
        planHash,
        reason,
      } as const;
      const answer = answerRedisRequest(draft, { kind: "redis-migrate", cluster: service, ...drain }, actor.name);
      return answer.ok ? { kind: "redis-migration", id: String(answer.data.migration) } : answer;
    }
    default:
      return action satisfies never;
  }
}

function subjectOf({ action, service }: SuggestedRecovery): Subject {
  return { kind: movesAway(action) ? "cluster" : "service", id: service };
}

/** What the sentences of the timeline need. */
function tell({ service, leaves, target }: SuggestedRecovery): Data {
  return leaves === undefined ? { service } : { service, leaves, target: target ?? null };
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
function outcomeOf(draft: Draft, { kind, id }: RecoveryWork): Outcome | null {
  const lost: Outcome = { ok: false, detail: `${id} is not in the records any more.` };
  if (kind === "action") {
    const action = getAction(draft, id);
    if (action === null) return lost;
    const { phase, failure, target } = action;
    return phase === "running"
      ? null
      : { ok: phase === "done", detail: `${id} (${target}): ${failure?.code ?? phase}.` };
  }
  const key = documentKey(kind, id);
  const found = draft.documents.get(key) ?? draft.state.durable.documents.get(key);
  if (found?.kind !== "change" && found?.kind !== "redis-migration") return lost;
  if (found.closedAt === null) return null;
  if (found.kind === "redis-migration")
    return { ok: found.phase === "done", detail: `${id} (${found.slotsMoved}/${found.slotsTotal}): ${found.phase}.` };
  const { phase, fault, service, version } = found;
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
  const { action, by } = recovery;
  const state = ok ? "done" : "failed";
  patchIncident(draft, incidentId, { recovery: { ...recovery, state, endedAt: draft.now.wallMs, detail } });
  appendTimeline(draft, {
    incidentId,
    lane: "action",
    kind: `${action}-${state}`,
    subject: subjectOf(recovery),
    data: { ...tell(recovery), detail },
    actor: by ?? "holdfast",
  });
}
