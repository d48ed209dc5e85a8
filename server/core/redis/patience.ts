import { type Draft, wakeAt } from "../draft.ts";
import { ensureClusterLive } from "../topology/observe.ts";

/** What has to hold before a member is told something again, so that its agent's last answer can be seen. */
export const settleMs = 400;
export const againMs = 3_000;

/** How long something has been so, and how often it is done: remembered in the live state, by the name of the cluster and a key. */

/** True once this has been so for `ms`; asks to be woken when it will have been. */
export function heldFor(draft: Draft, id: string, key: string, ms: number): boolean {
  const { since } = ensureClusterLive(draft, id);
  const from = since.get(key) ?? draft.now.monoMs;
  since.set(key, from);
  if (draft.now.monoMs - from >= ms) return true;
  wakeAt(draft, from + ms);
  return false;
}

/** True at most once in `ms`. */
export function rarely(draft: Draft, id: string, key: string, ms: number): boolean {
  const { since } = ensureClusterLive(draft, id);
  const last = since.get(key);
  if (last !== undefined && draft.now.monoMs - last < ms) {
    wakeAt(draft, last + ms);
    return false;
  }
  since.set(key, draft.now.monoMs);
  return true;
}

export function clear(draft: Draft, id: string, key: string): void {
  ensureClusterLive(draft, id).since.delete(key);
}
