import { attempt, evict, freeLock, type Lock, release, renew, type Step, withdraw } from "../../core/locks/lease.ts";
import type { LockProvider, TokenLedger } from "../../ports/locks.ts";

/** The twin for unit tests and for a control plane without a database: the pure state machine over a map. */
export function createMemoryProvider(ledger: TokenLedger, monoMs: () => number, name = "memory"): LockProvider {
  const locks = new Map<string, Lock>();
  const listeners: ((name: string | null) => void)[] = [];
  const step = <T>(lockName: string, run: (lock: Lock, now: number) => Step<T>): T => {
    const { lock, answer } = run(locks.get(lockName) ?? freeLock, monoMs());
    if (lock.lease === null && lock.waiters.length === 0) locks.delete(lockName);
    else locks.set(lockName, lock);
    return answer;
  };
  const freed = (lockName: string, was: boolean): boolean => {
    if (was) for (const listener of listeners) listener(lockName);
    return was;
  };
  return {
    name,
    kind: "memory",
    promises: ["fair", "in-process"],
    async attempt(ask) {
      // A number that is not used is a gap, and gaps are allowed.
      const token = await ledger.next();
      return step(ask.name, (lock, now) => attempt(lock, ask, now, token));
    },
    renew: async (lock, owner, token, ttlMs) => step(lock, (state, now) => renew(state, owner, token, ttlMs, now)),
    release: async (lock, owner, token) =>
      freed(
        lock,
        step(lock, (state, now) => release(state, owner, token, now)),
      ),
    evict: async (lock, token) =>
      freed(
        lock,
        step(lock, (state, now) => evict(state, token, now)),
      ),
    withdraw: async (lock, owner) => step(lock, (state, now) => withdraw(state, owner, now)),
    async list(limit) {
      const now = monoMs();
      for (const each of [...locks.keys()]) step(each, (lock) => withdraw(lock, "", now));
      return [...locks].slice(0, limit).map(([lockName, { lease, waiters }]) => ({
        name: lockName,
        lease: lease && { ...pick(lease), heldMs: now - lease.since, leftMs: lease.until - now },
        waiters: waiters.map(({ owner, holder, since }) => ({ owner, holder, waitedMs: now - since })),
      }));
    },
    health: async () => ({ ok: true, latencyMs: 0, detail: "" }),
    onFreed: (listener) => void listeners.push(listener),
    close: async () => {},
  };
}

function pick({ owner, holder, token }: { owner: string; holder: string; token: number }) {
  return { owner, holder, token };
}

/** Numbers of this process only. */
export function createMemoryLedger(): TokenLedger {
  let last = 0;
  return { next: async () => ++last };
}
