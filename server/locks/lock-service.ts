import type { Clock } from "../ports/clock.ts";
import {
  type AcquireOutcome,
  type LockAsk,
  type LockAttempt,
  type LockProvider,
  LockProviderDown,
  type Locks,
  type ProviderStatus,
} from "../ports/locks.ts";

/** How long a place is kept after its last attempt: long enough for a client to ask again, short enough not to hold up those behind it. */
const placeKeptMs = 5_000;
const listLimit = 500;
/** Requests that wait at the same time, over all locks: each holds a connection of its caller. */
export const maxWaiting = 2_000;

interface Waiting {
  readonly provider: string;
  readonly lock: string;
  place: number;
  wake(): void;
}

/** Waits for locks on behalf of callers; the providers themselves never wait. */
export function createLocks(providers: readonly LockProvider[], clock: Clock): Locks {
  const waiting = new Set<Waiting>();
  for (const provider of providers) provider.onFreed((lock) => wakeNext(waiting, provider.name, lock));
  const find = (name: string | null): LockProvider | undefined =>
    name === null ? providers[0] : providers.find((provider) => provider.name === name);

  const wait = async (
    provider: LockProvider,
    ask: Omit<LockAsk, "placeMs">,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<AcquireOutcome> => {
    const deadline = clock.monoMs() + waitMs;
    const entry: Waiting = { provider: provider.name, lock: ask.name, place: 0, wake: () => {} };
    waiting.add(entry);
    try {
      for (;;) {
        let woken = false;
        const nap = new Promise<void>((resolve) => {
          entry.wake = () => {
            woken = true;
            resolve();
          };
        });
        const answer = await provider.attempt({ ...ask, placeMs: waitMs > 0 ? placeKeptMs : 0 });
        if (answer.ok) return { kind: "granted", provider: provider.name, ...pickGrant(answer) };
        entry.place = answer.place;
        const leftMs = deadline - clock.monoMs();
        if (leftMs <= 0 || signal.aborted) {
          return { kind: "waiting", provider: provider.name, place: answer.place, leftMs: answer.leftMs };
        }
        if (!woken) await Promise.race([nap, sleep(clock, Math.min(leftMs, pauseMs(answer)), signal)]);
      }
    } finally {
      waiting.delete(entry);
    }
  };

  return {
    providers: providers.map(({ name, kind }) => ({ name, kind })),
    find,
    async acquire(name, ask, waitMs, signal) {
      const provider = find(name);
      if (provider === undefined) return { kind: "unknown-provider" };
      if (waitMs > 0 && waiting.size >= maxWaiting) return { kind: "too-many-waiters", limit: maxWaiting };
      return wait(provider, ask, waitMs, signal);
    },
    release: (provider, name, owner, token) => provider.release(name, owner, token),
    evict: (provider, name, token) => provider.evict(name, token),
    status: () => Promise.all(providers.map(readStatus)),
    async close() {
      await Promise.all(providers.map((provider) => provider.close()));
    },
  };
}

/**
 * Whoever frees a lock here wakes the next one; what happens elsewhere (a lease runs out, another control plane releases) is found by looking
 * again. The first in the queue looks often, the others only often enough to keep their places.
 */
function pauseMs({ place, leftMs }: Extract<LockAttempt, { ok: false }>): number {
  if (place > 1) return 1_000;
  return Math.max(20, Math.min(250, leftMs));
}

function wakeNext(waiting: ReadonlySet<Waiting>, provider: string, lock: string | null): void {
  let next: Waiting | null = null;
  for (const entry of waiting) {
    if (entry.provider !== provider || (lock !== null && entry.lock !== lock)) continue;
    if (lock === null || entry.place === 0) entry.wake();
    else if (next === null || entry.place < next.place) next = entry;
  }
  next?.wake();
}

function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.setTimer(done, delayMs);
    signal.addEventListener("abort", done);
  });
}

function pickGrant({ token, heldMs, leftMs }: Extract<LockAttempt, { ok: true }>) {
  return { token, heldMs, leftMs };
}

async function readStatus(provider: LockProvider): Promise<ProviderStatus> {
  const { name, kind, promises } = provider;
  const health = await provider.health();
  const nothing = { name, kind, promises, health, truncated: false, locks: [] };
  if (!health.ok) return nothing;
  try {
    const locks = await provider.list(listLimit + 1);
    return { ...nothing, truncated: locks.length > listLimit, locks: locks.slice(0, listLimit) };
  } catch (error) {
    if (!(error instanceof LockProviderDown)) throw error;
    return { ...nothing, health: { ok: false, latencyMs: null, detail: error.message } };
  }
}
