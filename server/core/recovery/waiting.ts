import { type Draft, wakeAt } from "../draft.ts";
import type { Action, ActionKind } from "./types.ts";

/**
 * Waiting by the monotonic clock. What an action records are wall-clock times for people to read; a clock that is set back by an hour must
 * not hold a recovery up for an hour. After a restart of the control plane the wait begins again in full.
 */

/** True once this has been asked under `key` for `forMs`; until then the core is woken when it is time. */
export function hasWaited(draft: Draft, clusterId: string, key: string, forMs: number): boolean {
  const since = draft.state.live.clusters.get(clusterId)?.since;
  if (since === undefined) return false;
  const from = since.get(key) ?? draft.now.monoMs;
  since.set(key, from);
  if (draft.now.monoMs - from >= forMs) return true;
  wakeAt(draft, from + forMs);
  return false;
}

export function stopWaiting(draft: Draft, clusterId: string, key: string): void {
  draft.state.live.clusters.get(clusterId)?.since.delete(key);
}

/** Waits of an action are kept under its id and a colon; they end with it. */
export function stopWaitingFor(draft: Draft, clusterId: string, actionId: string): void {
  const since = draft.state.live.clusters.get(clusterId)?.since;
  for (const key of since?.keys() ?? []) if (key.startsWith(`${actionId}:`)) since?.delete(key);
}

/** A retry that keeps failing is made ever more rarely, down to this many times the first distance. */
const rarestRetry = 12;

/**
 * True while the newest action of this kind (and target) has failed and less than `retryAfterMs` have passed since that was noticed; the
 * distance doubles with every further failure in a row.
 */
export function isTooSoon(
  draft: Draft,
  clusterId: string,
  kind: ActionKind,
  target: string | null,
  retryAfterMs: number,
): boolean {
  const newest = newestAction(draft, clusterId, kind, target);
  if (newest === null || newest.phase === "running" || newest.phase === "done") return false;
  const distance = Math.min(rarestRetry, 2 ** (failuresInARow(draft, clusterId, kind, target) - 1));
  return !hasWaited(draft, clusterId, `retry:${kind}:${target}:${newest.id}`, retryAfterMs * distance);
}

function failuresInARow(draft: Draft, clusterId: string, kind: ActionKind, target: string | null): number {
  const byAge = listActions(draft, clusterId, kind, target).sort((a, b) => numberOf(b.id) - numberOf(a.id));
  const firstGood = byAge.findIndex((action) => action.phase !== "failed");
  return Math.max(1, firstGood === -1 ? byAge.length : firstGood);
}

/** A new attempt begins: waits for the ones before it are over. */
export function forgetRetries(draft: Draft, clusterId: string, kind: ActionKind, target: string): void {
  const since = draft.state.live.clusters.get(clusterId)?.since;
  for (const key of since?.keys() ?? []) if (key.startsWith(`retry:${kind}:${target}:`)) since?.delete(key);
}

function newestAction(draft: Draft, clusterId: string, kind: ActionKind, target: string | null): Action | null {
  return listActions(draft, clusterId, kind, target).reduce<Action | null>(
    (newest, action) => (newest === null || numberOf(action.id) > numberOf(newest.id) ? action : newest),
    null,
  );
}

function listActions(draft: Draft, clusterId: string, kind: ActionKind, target: string | null): Action[] {
  const all = new Map([...draft.state.durable.actions, ...draft.actions]);
  return [...all.values()].filter(
    (action) => action.cluster === clusterId && action.kind === kind && action.target === target,
  );
}

/** `ACT-17` → 17. */
function numberOf(actionId: string): number {
  return Number(actionId.slice(actionId.lastIndexOf("-") + 1));
}

const againMs = { first: 500, most: 8_000, mostWhileItAnswers: 2_000 };

/**
 * Distance to the next attempt at a server that is the only one which may go on, milliseconds: doubles with each, and stays short for one that answers
 * now. What hung a moment ago may serve at once.
 */
export function pauseBeforeNext(draft: Draft, node: string, attempts: number): number {
  const answers = draft.state.live.nodes.get(node)?.postgres?.probe.ok === true;
  return Math.min(answers ? againMs.mostWhileItAnswers : againMs.most, againMs.first * 2 ** (attempts - 1));
}
