import { LockProviderDown, type LockRecord, type Locks, type OwnLocks } from "../ports/locks.ts";

const ttlMs = 15_000;
/** So many are looked through for the name of a holder. */
const listLimit = 10_000;

interface Held {
  readonly token: number;
}

export interface OwnLockParts {
  readonly locks: Locks;
  /** By lock name: what is under way now, in words. */
  busy(): ReadonlyMap<string, string>;
  warn(message: string, detail: Readonly<Record<string, unknown>>): void;
}

/**
 * The locks of the control plane's own actions, kept at the default provider. They are courtesy, not safety: epochs and committed intents are
 * what keeps two actions apart, so a provider that is down, or a lock that somebody else holds, never stands in the way of an automatic failover.
 */
export function createOwnLocks({ locks, busy, warn }: OwnLockParts): OwnLocks {
  const held = new Map<string, Held>();
  const provider = locks.find(null);
  if (provider === undefined) throw new Error("invariant: there is a default lock provider");
  /** Never another one's: names of requests by the API begin with their principal. */
  const ownerOf = (name: string): string => `control-plane/${name}`;

  const attempt = async (name: string, holder: string): Promise<boolean> => {
    const answer = await provider.attempt({ name, owner: ownerOf(name), holder, ttlMs, placeMs: 0 });
    if (answer.ok) held.set(name, { token: answer.token });
    return answer.ok;
  };

  const release = async (name: string): Promise<void> => {
    const lock = held.get(name);
    held.delete(name);
    if (lock !== undefined) await locks.release(provider, name, ownerOf(name), lock.token);
  };

  const keep = async (name: string, holder: string): Promise<void> => {
    const lock = held.get(name);
    if (lock === undefined) {
      await attempt(name, holder);
      return;
    }
    if ((await provider.renew(name, ownerOf(name), lock.token, ttlMs)) === null) held.delete(name);
  };

  /** The provider's troubles are not the action's. */
  const quietly = async <T>(what: string, work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof LockProviderDown)) throw error;
      warn("a lock of the control plane's own could not be seen to", { what, error: error.message });
      return null;
    }
  };

  /** One that was held before belongs to what is under way. */
  const giveUp = async (name: string, wasHeld: boolean): Promise<void> => {
    if (!wasHeld) await quietly(name, () => release(name));
  };

  const othersLease = async (name: string): Promise<LockRecord["lease"]> => {
    const records = (await quietly(name, () => provider.list(listLimit))) ?? [];
    const lease = records.find((record) => record.name === name)?.lease ?? null;
    return lease?.owner === ownerOf(name) ? null : lease;
  };

  return {
    async claim(name, holder) {
      const wasHeld = held.has(name);
      const taken = await quietly(name, () => attempt(name, holder));
      if (taken !== false) return { ok: true, giveUp: () => giveUp(name, wasHeld) };
      return { ok: false, lease: await othersLease(name) };
    },
    othersLease,
    async tidy() {
      const wanted = busy();
      for (const [name, holder] of wanted) await quietly(name, () => keep(name, holder));
      for (const name of [...held.keys()]) if (!wanted.has(name)) await quietly(name, () => release(name));
    },
  };
}
