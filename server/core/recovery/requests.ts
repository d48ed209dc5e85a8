import { answerChangeRequest, isChangeRequest } from "../changes/index.ts";
import {
  appendAudit,
  appendNote,
  appendTimeline,
  type Draft,
  getAction,
  getCluster,
  getIncident,
  getNode,
  patchCluster,
  patchIncident,
  putNode,
} from "../draft.ts";
import type { Reply } from "../effect.ts";
import type { OperatorRequested } from "../event.ts";
import { requestResolution } from "../in-doubt/in-doubt.ts";
import { requestRecovery } from "../incident/recovery-by-cause.ts";
import type { Incident } from "../incident/types.ts";
import { setMonitorRule } from "../monitoring/set-rule.ts";
import { answerRedisRequest } from "../redis/requests.ts";
import { answerKeySpaceRequest } from "../ring/requests.ts";
import { declareDependency } from "../service/declare-dependency.ts";
import { endAction } from "./actions.ts";
import { canRegrant, startRegrant } from "./regrant.ts";
import { startRejoin } from "./rejoin.ts";
import { type Answer, type Data, runPlan } from "./run-plan.ts";
import { setDurability } from "./set-durability.ts";

const done = (data: Data = {}): Answer => ({ ok: true, data });
const refuse = (code: string, data: Data = {}): Answer => ({ ok: false, code, data });

/** Carries out what a person asked for, or refuses with a code and its values. The role was checked before it came here. */
export function answerRequest(draft: Draft, event: OperatorRequested): void {
  const answer = carryOut(draft, event);
  draft.replies.push({ requestId: event.requestId, ...answer } as Reply);
}

function carryOut(draft: Draft, { request, actor }: OperatorRequested): Answer {
  if (isChangeRequest(request)) return answerChangeRequest(draft, request, actor);
  switch (request.kind) {
    case "failover":
    case "switchover":
      return runPlan(draft, request, { by: actor.name, automatic: false, incidentId: null });
    case "redis-migrate":
    case "redis-stop-migration":
    case "redis-failover":
    case "redis-automation":
      return answerRedisRequest(draft, request, actor.name);
    case "rejoin":
      return runRejoin(draft, request.cluster, request.node, actor.name, request.reason);
    case "abort-action":
      return abortAction(draft, request.actionId, actor.name, request.reason);
    case "set-automation": {
      const cluster = getCluster(draft, request.cluster);
      if (cluster === null) return refuse("unknown-cluster", { cluster: request.cluster });
      const automation = { state: request.state, by: actor.name, reason: request.reason, at: draft.now.wallMs };
      audit(
        draft,
        actor,
        request.state === "on" ? "automation-on" : "automation-held",
        `cluster:${cluster.id}`,
        cluster.automation,
        automation,
        request.reason,
      );
      patchCluster(draft, cluster.id, { automation });
      return done();
    }
    case "set-durability": {
      const refusal = setDurability(draft, request, actor);
      return refusal === null ? done() : refuse(refusal.code, refusal.data);
    }
    case "set-cluster-maintenance": {
      const cluster = getCluster(draft, request.cluster);
      if (cluster === null) return refuse("unknown-cluster", { cluster: request.cluster });
      audit(
        draft,
        actor,
        "maintenance-set",
        `cluster:${cluster.id}`,
        cluster.maintenance,
        request.maintenance,
        request.maintenance?.reason ?? "",
      );
      patchCluster(draft, cluster.id, { maintenance: request.maintenance });
      return done();
    }
    case "set-monitor-rule":
      return setMonitorRule(draft, actor, request);
    case "declare-dependency":
      return declareDependency(draft, actor, request);
    case "set-node-maintenance":
    case "revoke-node": {
      const node = getNode(draft, request.node);
      if (node === null) return refuse("unknown-node", { node: request.node });
      const changed =
        request.kind === "revoke-node"
          ? { ...node, revokedAt: draft.now.wallMs }
          : { ...node, maintenance: request.maintenance };
      const reason = request.kind === "revoke-node" ? request.reason : (request.maintenance?.reason ?? "");
      audit(
        draft,
        actor,
        request.kind === "revoke-node" ? "node-revoked" : "maintenance-set",
        `node:${node.id}`,
        node.maintenance,
        changed.maintenance,
        reason,
      );
      putNode(draft, changed);
      return done();
    }
    case "resolve-in-doubt":
      return requestResolution(draft, request, actor);
    case "recover-service": {
      const incident = getIncident(draft, request.incidentId);
      if (incident === null) return refuse("unknown-incident", { incident: request.incidentId });
      const refusal = requestRecovery(draft, incident, actor);
      return refusal === null ? done() : refuse(refusal.code, refusal.data);
    }
    case "set-cause-policy": {
      const { policy } = draft.state.durable;
      const before = policy.causes[request.cause] ?? null;
      draft.log.push({
        kind: "put-policy",
        value: { ...policy, causes: { ...policy.causes, [request.cause]: request.rule } },
      });
      audit(draft, actor, "cause-policy-set", `cause:${request.cause}`, before, request.rule, "");
      return done();
    }
    case "register-key-space":
    case "change-key-space":
    case "count-key-space":
    case "remove-key-space":
      return answerKeySpaceRequest(draft, request, actor);
    default:
      return changeIncident(draft, request, actor);
  }
}

type Request = OperatorRequested["request"];
type IncidentRequest = Exclude<Extract<Request, { incidentId: string }>, { kind: "recover-service" }>;
type Actor = OperatorRequested["actor"];

function audit(
  draft: Draft,
  actor: Actor,
  verb: string,
  subject: string,
  before: object | null,
  after: object | null,
  reason: string,
): void {
  appendAudit(draft, {
    actor: actor.name,
    actorRole: actor.role,
    verb,
    subject,
    before: before === null ? null : { ...before },
    after: after === null ? null : { ...after },
    reason,
  });
}

function runRejoin(draft: Draft, clusterId: string, node: string, by: string, reason: string): Answer {
  const cluster = getCluster(draft, clusterId);
  const member = cluster?.members[node];
  if (cluster === null || member === undefined) return refuse("unknown-node", { node });
  if (cluster.primary === node) return refuse("is-primary", { node });
  if (cluster.primary === null) return refuse("no-primary", { cluster: clusterId });
  const action = startRejoin(draft, cluster, member, "clone", by, reason);
  return done({ action: action.id });
}

/** Before any promotion left, a change of the primary can be taken back by granting the old one again. Afterwards it can only go forward. */
function abortAction(draft: Draft, actionId: string, by: string, reason: string): Answer {
  const action = getAction(draft, actionId);
  if (action === null) return refuse("unknown-action", { action: actionId });
  if (action.phase !== "running") return refuse("action-ended", { phase: action.phase });
  if (action.promoteSent) return refuse("past-the-point-of-no-return", { state: action.state });
  appendAudit(draft, {
    actor: by,
    actorRole: "operator",
    verb: "action-aborted",
    subject: `action:${actionId}`,
    before: { state: action.state },
    after: null,
    reason,
  });
  if (action.state === "sealing" && canRegrant(draft, action)) startRegrant(draft, action);
  else if (action.state === "demoting") return refuse("step-under-way", { state: action.state });
  else endAction(draft, actionId, "aborted", { code: "aborted-by-operator", data: { by } });
  return done();
}

function changeIncident(draft: Draft, request: IncidentRequest, actor: Actor): Answer {
  const incident = getIncident(draft, request.incidentId);
  if (incident === null) return refuse("unknown-incident", { incident: request.incidentId });
  const { wallMs } = draft.now;
  if (request.kind === "add-note") {
    appendNote(draft, {
      id: `${draft.now.entropy}.${++draft.commandCount}`,
      incidentId: incident.id,
      at: wallMs,
      author: actor.name,
      text: request.text,
    });
    recordPerson(draft, incident, "note-added", actor.name, {});
    return done();
  }
  const patch = incidentPatch(incident, request, actor.name, wallMs);
  if (patch === null) return refuse("incident-phase", { phase: incident.phase });
  patchIncident(draft, incident.id, patch);
  recordPerson(
    draft,
    incident,
    `incident-${patch.phase ?? "changed"}`,
    actor.name,
    "reason" in request ? { reason: request.reason } : {},
  );
  audit(
    draft,
    actor,
    request.kind,
    `incident:${incident.id}`,
    { phase: incident.phase },
    { phase: patch.phase ?? incident.phase },
    "reason" in request ? request.reason : "",
  );
  return done();
}

function incidentPatch(
  incident: Incident,
  request: IncidentRequest,
  by: string,
  wallMs: number,
): Partial<Incident> | null {
  switch (request.kind) {
    case "acknowledge-incident":
      if (incident.acknowledgedAt !== null) return null;
      return {
        acknowledgedAt: wallMs,
        acknowledgedBy: by,
        phase: incident.phase === "open" ? "acknowledged" : incident.phase,
      };
    case "resolve-incident":
      return incident.resolvedAt === null ? { resolvedAt: wallMs, phase: "resolved" } : null;
    case "close-incident":
      return incident.resolvedAt !== null && incident.closedAt === null ? { closedAt: wallMs, phase: "closed" } : null;
    case "reopen-incident":
      return incident.resolvedAt !== null ? { resolvedAt: null, closedAt: null, phase: "open" } : null;
    default:
      return null;
  }
}

function recordPerson(draft: Draft, incident: Incident, kind: string, actor: string, data: Data): void {
  appendTimeline(draft, {
    incidentId: incident.id,
    lane: "person",
    kind,
    subject: incident.cause.subject,
    data,
    actor,
  });
}
