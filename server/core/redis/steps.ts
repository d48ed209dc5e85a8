import { type DocumentOf, getDocument, putDocument } from "../documents.ts";
import { type Draft, demand, getAction, patchAction } from "../draft.ts";
import type { CommandRecord, Verb } from "../recovery/command.ts";
import { type ActionDraft, closeAction, recordEnd, recordIntent } from "../recovery/record-action.ts";
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

export function beginRedisAction(draft: Draft, record: RedisDocument, intent: Omit<ActionDraft, "cluster">): Action {
  const subject = `redis:${record.id}`;
  const action = recordIntent(draft, { ...intent, cluster: record.id }, { ...record, subject });
  if (intent.opensEpoch) patchRedis(draft, record.id, { highestEpoch: action.epoch, openActionId: action.id });
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
  if (!closeAction(draft, actionId, phase, failure)) return;
  const { cluster } = demand(getAction(draft, actionId), actionId);
  const record = demand(getDocument(draft, "redis", cluster), cluster);
  if (record.openActionId === actionId) patchRedis(draft, record.id, { openActionId: null });
  recordEnd(draft, actionId, { ...record, subject: `redis:${cluster}` });
}
