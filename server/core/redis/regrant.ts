import { getDocument } from "../documents.ts";
import { type Draft, demand, dropCommands, getAction, patchAction, wakeAt } from "../draft.ts";
import { appendActionEntry } from "../incident/timeline.ts";
import type { Action } from "../recovery/types.ts";
import { seeAgent } from "../topology/sight.ts";
import { configure, grantAgain } from "./grant.ts";
import { endRedisAction, redisStep } from "./steps.ts";

/** An agent may have to start its server first. */
const answerMs = 25_000;
const pauseMs = 1_000;
const mostRegrants = 10;

/**
 * A seal ends by promotion, or by granting the old master again; the latter only if no promote was ever sent, and nobody else was granted since.
 * Its agent has to be heard: nobody else may carry the grant out.
 */
export function canRegrant(draft: Draft, action: Action): boolean {
  const record = demand(getDocument(draft, "redis", action.cluster), action.cluster);
  if (action.promoteSent || action.from === null || record.primary !== action.from || record.epoch >= action.epoch)
    return false;
  const member = record.members[action.from];
  return member !== undefined && seeAgent(draft.state, member.node, draft.now) === "alive";
}

export function startRegrant(draft: Draft, action: Action): void {
  const before = demand(getDocument(draft, "redis", action.cluster), action.cluster);
  const intentId = `${action.intentId}.regrant`;
  dropCommands(draft, action.id, "regranted");
  const record = grantAgain(draft, before, { intentId, by: action.by, actionId: action.id });
  // No replica follows it yet, and as many as before have to confirm: it refuses writes until they do.
  const configuration = configure(draft, record, record.kInForce);
  patchAction(draft, action.id, { state: "regranting", epoch: record.epoch, intentId, configuration });
  tell(draft, action.id);
  appendActionEntry(draft, action.id, "regranted", { node: record.primary, epoch: record.epoch });
}

function tell(draft: Draft, actionId: string): void {
  const { configuration, from } = demand(getAction(draft, actionId), actionId);
  const args = { configuration: demand(configuration, "a configuration") };
  redisStep(draft, actionId, "regrant", demand(from, "the old master"), { verb: "redis.grant", args });
  wakeAt(draft, draft.now.monoMs + answerMs);
}

/** One that refuses or is just being started is told again; one that does not answer is left to the next look at its grant. */
export function advanceRegranting(draft: Draft, action: Action): void {
  const regrants = action.steps.filter(({ kind }) => kind === "regrant");
  const last = regrants.at(-1);
  const { wallMs, monoMs } = draft.now;
  if (last?.status === "done") {
    return endRedisAction(draft, action.id, "compensated", { code: "regranted", data: { node: action.from } });
  }
  if (last?.status === "running" && wallMs - (last.startedAt ?? wallMs) < answerMs) return;
  const leftMs = (last?.endedAt ?? 0) + pauseMs - wallMs;
  if (last?.status === "failed" && regrants.length < mostRegrants) {
    if (leftMs > 0) return wakeAt(draft, monoMs + leftMs);
    return tell(draft, action.id);
  }
  endRedisAction(draft, action.id, "needs-operator", { code: "regrant-failed", data: { node: action.from } });
}
