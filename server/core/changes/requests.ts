import { documentKey, getDocument } from "../documents.ts";
import type { Draft } from "../draft.ts";
import { appendAudit } from "../draft.ts";
import type { Actor } from "../event.ts";
import type { State } from "../state.ts";
import { answerInquiry, nextMessage } from "../transaction/index.ts";
import { sendStep, tell } from "./commands.ts";
import { driveOn } from "./drive.ts";
import { remember, splitByPresence } from "./left-behind.ts";
import { type DryRun, openChange } from "./open.ts";
import { planRollout } from "./plan.ts";
import { listProgram, versionBefore } from "./programs.ts";
import type { ChangeData, ProgramRecord, RolloutRequest } from "./types.ts";
import { changeOfGid } from "./verbs.ts";

export type ChangeRequest =
  | {
      readonly kind: "start-rollout";
      readonly rollout: RolloutRequest;
      readonly planHash: string;
      /** Only stage and validate, and discard it again; absent or null: carry it out. */
      readonly dryRun?: DryRun | null;
      readonly reason: string;
    }
  /** Back to a version: the last good one when none is named. */
  | {
      readonly kind: "start-rollback";
      readonly service: string;
      readonly version: string | null;
      readonly reason: string;
    }
  /** Every node's process again, one node after the other, each watched for a moment. */
  | { readonly kind: "start-restart"; readonly service: string; readonly reason: string }
  | { readonly kind: "stop-change"; readonly change: string; readonly reason: string }
  /** It is decided, and one participant does not come back: the change ends without it. */
  | {
      readonly kind: "set-participant-aside";
      readonly change: string;
      readonly participant: string;
      readonly reason: string;
    };

type Answer =
  | { readonly ok: true; readonly data: ChangeData }
  | { readonly ok: false; readonly code: string; readonly data: ChangeData };

export function isChangeRequest(request: { readonly kind: string }): request is ChangeRequest {
  return ["start-rollout", "start-rollback", "start-restart", "stop-change", "set-participant-aside"].includes(
    request.kind,
  );
}

export function answerChangeRequest(draft: Draft, request: ChangeRequest, actor: Actor): Answer {
  switch (request.kind) {
    case "start-rollout":
      return start(draft, request.rollout, request.planHash, request.reason, actor, undoneBy(request.rollout), {
        dryRun: request.dryRun ?? null,
      });
    case "start-rollback": {
      const rollout = planRollback(draft.state, request.service, request.version);
      if (rollout === null) return refuse("no-good-version", { service: request.service });
      const { request: present, left } = splitByPresence(draft.state, rollout.request);
      const wanted = present.waves.length === 0 ? rollout.request : present;
      return start(draft, wanted, null, request.reason, actor, rollout.of, { left });
    }
    case "start-restart":
      return start(draft, planRestart(draft.state, request.service), null, request.reason, actor, null);
    case "stop-change":
      return stop(draft, request.change, request.reason, actor);
    case "set-participant-aside":
      return goOnWithout(draft, request, actor);
    default:
      return request satisfies never;
  }
}

/** The way back that one click takes: every node of the service that runs another version, at once. */
export function planRollback(
  state: State,
  service: string,
  version: string | null,
): { readonly request: RolloutRequest; readonly of: string | null } | null {
  const here = listProgram(state, service);
  const record = (state.durable.documents.get(documentKey("program", service)) ?? null) as ProgramRecord | null;
  const running = [...new Set(here.map(({ status }) => status.version).filter((each) => each !== null))];
  const target = version ?? versionBefore(record, running);
  if (target === null) return null;
  const nodes = here.filter(({ status }) => status.version !== target).map(({ node }) => node);
  const of = record?.history.findLast((entry) => running.includes(entry.version))?.change ?? null;
  const item = { kind: "release", version: target } as const;
  return { request: { service, item, protocol: "2pc", waves: [nodes], watchMs: 10_000, sql: null }, of };
}

/** The change that a request undoes: putting a file back is a rollback, whoever asks for it. */
function undoneBy({ item }: RolloutRequest): string | null {
  return item.kind === "config-revert" ? item.change : null;
}

const restartWatchMs = 3_000;

/** A saga goes node by node: a service that was well on some of them is never away on all, and one that does not come back stops it. */
function planRestart(state: State, service: string): RolloutRequest {
  const waves = listProgram(state, service).map(({ node }) => [node]);
  return { service, item: { kind: "restart" }, protocol: "saga", waves, watchMs: restartWatchMs, sql: null };
}

function start(
  draft: Draft,
  rollout: RolloutRequest,
  planHash: string | null,
  reason: string,
  actor: Actor,
  rollbackOf: string | null,
  { left = [], dryRun = null }: { readonly left?: readonly string[]; readonly dryRun?: DryRun | null } = {},
): Answer {
  const plan = planRollout(draft.state, rollout);
  // A change that was opened earlier in this batch is not in the state yet.
  const record = getDocument(draft, "program", rollout.service);
  if ((record?.openChange ?? null) !== null) return refuse("change-under-way", { change: record?.openChange ?? null });
  if (planHash !== null && planHash !== plan.planHash) return refuse("plan-changed", { planHash: plan.planHash });
  const blocked = plan.checks.find(({ status }) => status === "block");
  if (blocked !== undefined) return refuse("check-blocks", { check: blocked.code, ...blocked.data });
  const request = { ...rollout, waves: plan.waves };
  const only = dryRun?.only ?? null;
  const participants = [...plan.waves.flat(), ...(rollout.sql === null ? [] : [`sql:${rollout.sql.cluster}`])];
  if (only !== null && !participants.includes(only))
    return refuse("unknown-participant", { change: rollout.service, participant: only });
  const of = dryRun === null ? rollbackOf : null;
  const automatic = actor.role === "system";
  const options = { request, by: actor.name, automatic, reason, rollbackOf: of, incidentId: null, dryRun };
  const change = openChange(draft, { ...options, left });
  if (left.length > 0) remember(draft, options, left);
  driveOn(draft, change, []);
  return { ok: true, data: { change: change.id } };
}

function stop(draft: Draft, id: string, reason: string, actor: Actor): Answer {
  const change = getDocument(draft, "change", id);
  if (change === null) return refuse("unknown-change", { change: id });
  const { decision } = change.transaction;
  if (decision !== null) return refuse("decided-already", { change: id, decision });
  appendAudit(draft, {
    actor: actor.name,
    actorRole: actor.role,
    verb: "change-stopped",
    subject: `change:${id}`,
    before: { phase: change.phase },
    after: null,
    reason,
  });
  driveOn(draft, change, [{ kind: "abort-requested", code: "stopped-by-operator", branch: null }]);
  return { ok: true, data: { change: id } };
}

/** What was decided is sent to it once more and stays its due: the command waits for its agent, however long it is away. */
function goOnWithout(
  draft: Draft,
  { change: id, participant, reason }: Extract<ChangeRequest, { kind: "set-participant-aside" }>,
  actor: Actor,
): Answer {
  const change = getDocument(draft, "change", id);
  if (change === null) return refuse("unknown-change", { change: id });
  const target = change.targets.find((each) => each.id === participant);
  const branch = change.transaction.branches.find((each) => each.id === participant);
  if (target === undefined || branch === undefined) return refuse("unknown-participant", { change: id, participant });
  if (change.transaction.decision === null) return refuse("not-decided", { change: id });
  if (branch.endedAt !== null) return refuse("participant-through", { change: id, participant });
  const due = nextMessage(change.transaction, branch);
  if (due === null) return refuse("not-its-turn", { change: id, participant });
  appendAudit(draft, {
    actor: actor.name,
    actorRole: actor.role,
    verb: "participant-set-aside",
    subject: `change:${id}`,
    before: { phase: change.phase },
    after: { participant, due },
    reason,
  });
  const sent = sendStep(draft, change, target, due);
  const told = tell(draft, sent, "set-aside", { target: participant, by: actor.name, reason });
  driveOn(draft, told, [{ kind: "set-aside", branch: participant }]);
  return { ok: true, data: { change: id } };
}

/**
 * What became of the change behind a prepared transaction: its durable decision, `undecided` while votes are out, `abort` when no such change is
 * open and none was ever decided (presumed abort; look into the store first), null when the transaction is not one of ours.
 */
export function decisionOfGid(state: State, gid: string): "commit" | "abort" | "undecided" | "closed" | null {
  const owner = changeOfGid(gid);
  if (owner === null) return null;
  const found = state.durable.documents.get(documentKey("change", owner.change));
  if (found?.kind === "change") return answerInquiry(found.transaction);
  return isStillDue(state, gid) ?? "closed";
}

/** A person went on without this database: what was decided waits in the outbox, and ends the transaction when its primary's agent takes it. */
function isStillDue(state: State, gid: string): "commit" | "abort" | null {
  for (const { verb, cluster, grant } of state.durable.commands.values()) {
    if (verb.verb !== "change.sql" || verb.args.gid !== gid) continue;
    const { message } = verb.args;
    // Under an older grant the primary of now refuses it.
    const isValid = state.durable.clusters.get(cluster)?.epoch === grant.epoch;
    if (isValid && (message === "commit" || message === "abort")) return message;
  }
  return null;
}

function refuse(code: string, data: ChangeData): Answer {
  return { ok: false, code, data };
}
