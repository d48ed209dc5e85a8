import { type DocumentOf, getDocument, putDocument } from "../documents.ts";
import {
  appendAudit,
  type Draft,
  demand,
  dropCommands,
  getAction,
  nextActionId,
  patchAction,
  putAction,
} from "../draft.ts";
import { appendActionEntry, linkAction } from "../incident/timeline.ts";
import type { CommandRecord, Verb } from "../recovery/command.ts";
import type { Action } from "../recovery/types.ts";
import type { RedisDocument } from "./servers.ts";

/** Writing down what is done to a Redis cluster: intents, steps with a command each, their end. */

export function patchRedis(draft: Draft, id: string, patch: Partial<DocumentOf<"redis">>): RedisDocument {
  const value = { ...demand(getDocument(draft, "redis", id), `redis ${id}`), ...patch };
  putDocument(draft, value);
  draft.touched.add(`redis:${id}`);
  return value;
}

/** A command for one agent: recorded first, sent after the commit. Its number grows with every command of the cluster. */
export function sendCommand(
  draft: Draft,
  record: RedisDocument,
  options: {
    readonly node: string;
    readonly verb: Verb;
    readonly actionId: string;
    readonly stepIndex: number;
    readonly epoch: number;
    readonly intentId: string;
  },
): CommandRecord {
  const { commandStep, configVersion } = demand(getDocument(draft, "redis", record.id), record.id);
  const command: CommandRecord = {
    id: `${draft.now.entropy}.${++draft.commandCount}`,
    node: options.node,
    cluster: record.id,
    actionId: options.actionId,
    stepIndex: options.stepIndex,
    grant: { epoch: options.epoch, intentId: options.intentId, step: commandStep + 1, configVersion },
    verb: options.verb,
    createdAt: draft.now.wallMs,
  };
  patchRedis(draft, record.id, { commandStep: commandStep + 1 });
  draft.commands.set(command.id, command);
  draft.send.push(command);
  return command;
}

export function beginRedisAction(
  draft: Draft,
  record: RedisDocument,
  intent: Pick<Action, "kind" | "state" | "by" | "automatic" | "reason" | "incidentId" | "from" | "target"> & {
    readonly firstSignalAt: number | null;
    readonly opensEpoch: boolean;
  },
): Action {
  const id = nextActionId(draft);
  const epoch = intent.opensEpoch ? record.highestEpoch + 1 : record.epoch;
  const action: Action = {
    id,
    kind: intent.kind,
    cluster: record.id,
    phase: "running",
    state: intent.state,
    intentId: intent.opensEpoch ? `${id}.${draft.now.entropy}` : (record.grantId ?? `${id}.${draft.now.entropy}`),
    epoch,
    by: intent.by,
    automatic: intent.automatic,
    reason: intent.reason,
    incidentId: intent.incidentId,
    from: intent.from,
    target: intent.target,
    steps: [],
    sealed: [],
    candidates: [],
    startedAt: draft.now.wallMs,
    endedAt: null,
    firstSignalAt: intent.firstSignalAt,
    decidedAt: draft.now.wallMs,
    promoteSent: false,
    configuration: null,
    failure: null,
  };
  putAction(draft, action);
  if (intent.opensEpoch) patchRedis(draft, record.id, { highestEpoch: epoch, openActionId: id });
  if (intent.incidentId !== null) linkAction(draft, intent.incidentId, id);
  appendActionEntry(draft, id, `${intent.kind}-started`, { node: intent.target ?? intent.from, epoch });
  appendAudit(draft, {
    actor: intent.by,
    actorRole: intent.automatic ? "system" : "operator",
    verb: `${intent.kind}-started`,
    subject: `redis:${record.id}`,
    before: null,
    after: { action: id, epoch },
    reason: intent.reason,
  });
  return action;
}

/** Adds a step that is a command to the agent of one member. */
export function redisStep(draft: Draft, actionId: string, kind: string, memberId: string, verb: Verb): void {
  const action = demand(getAction(draft, actionId), actionId);
  const record = demand(getDocument(draft, "redis", action.cluster), action.cluster);
  const member = demand(record.members[memberId], memberId);
  const command = sendCommand(draft, record, {
    node: member.node,
    verb,
    actionId,
    stepIndex: action.steps.length,
    epoch: action.epoch,
    intentId: action.intentId,
  });
  patchAction(draft, actionId, {
    steps: [
      ...action.steps,
      {
        kind,
        node: memberId,
        status: "running",
        startedAt: draft.now.wallMs,
        endedAt: null,
        commandId: command.id,
        progress: null,
        data: {},
      },
    ],
  });
}

export function endRedisAction(
  draft: Draft,
  actionId: string,
  phase: Exclude<Action["phase"], "running">,
  failure: Action["failure"],
): void {
  const before = demand(getAction(draft, actionId), actionId);
  if (before.phase !== "running") return;
  dropCommands(draft, actionId, `action-${phase}`);
  patchAction(draft, actionId, {
    phase,
    failure,
    endedAt: draft.now.wallMs,
    steps: before.steps.map((step) =>
      step.status === "running" ? { ...step, status: "unknown" as const, endedAt: draft.now.wallMs } : step,
    ),
  });
  const record = demand(getDocument(draft, "redis", before.cluster), before.cluster);
  if (record.openActionId === actionId) patchRedis(draft, record.id, { openActionId: null });
  appendActionEntry(draft, actionId, `${before.kind}-${phase}`, {
    node: before.target,
    epoch: before.epoch,
    durationMs: draft.now.wallMs - before.startedAt,
    code: failure?.code ?? null,
  });
  appendAudit(draft, {
    actor: before.by,
    actorRole: before.automatic ? "system" : "operator",
    verb: `${before.kind}-${phase}`,
    subject: `redis:${before.cluster}`,
    before: null,
    after: {
      action: actionId,
      epoch: record.epoch,
      primary: record.primary,
      ...(failure ? { failure: failure.code } : {}),
    },
    reason: before.reason,
  });
}
