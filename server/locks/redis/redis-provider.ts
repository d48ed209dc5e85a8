import { Redis } from "ioredis";
import { type LockProvider, LockProviderDown, type LockRecord, type TokenLedger } from "../../ports/locks.ts";
import { attemptScript, confirmScript, listScript, releaseScript, renewScript, withdrawScript } from "./scripts.ts";

const timeoutMs = 2_000;
const lockPrefix = "holdfast:lock:";
const indexKey = "holdfast:locks";

export interface RedisLockOptions {
  readonly name: string;
  /** `redis://…` or `rediss://…`. One server, not a cluster. */
  readonly url: string;
  readonly ledger: TokenLedger;
}

/**
 * `SET NX PX` on one server with a token of our own, not Redlock: that has no token, and what it adds (agreement of clocks over several
 * servers) is not what keeps a resource safe.
 */
export function openRedisLocks({ name, url, ledger }: RedisLockOptions): LockProvider {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: true,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (times) => Math.min(100 * times, 2_000),
  });
  let lastFault = "no connection";
  redis.on("error", (error: Error) => {
    lastFault = error.message;
  });
  // The library names its own option where the connection is what is wrong.
  const tell = (error: unknown): string => {
    if (!(error instanceof Error)) return String(error);
    return error.name === "MaxRetriesPerRequestError" ? lastFault : error.message;
  };
  const listeners: ((name: string | null) => void)[] = [];
  const run = async (script: string, keys: readonly string[], ...args: (string | number)[]): Promise<unknown> => {
    try {
      return await redis.eval(script, keys.length, ...keys, ...args);
    } catch (error) {
      throw new LockProviderDown(name, tell(error), error);
    }
  };
  const free = async (lock: string, owner: string, token: number): Promise<boolean> => {
    const done = (await run(releaseScript, [lockPrefix + lock], owner, token)) === 1;
    if (done) for (const listener of listeners) listener(lock);
    return done;
  };
  return {
    name,
    kind: "redis",
    promises: ["fair", "survives-control-plane", "may-forget"],
    async attempt({ name: lock, owner, holder, ttlMs, placeMs }) {
      const key = lockPrefix + lock;
      const answer = (await run(attemptScript, [key, indexKey], lock, owner, holder, ttlMs, placeMs)) as number[];
      const [granted, second = 0, third = 0, leftMs = 0] = answer.map(Number);
      if (granted !== 1) return { ok: false, place: second, leftMs: Math.max(0, third) };
      if (second >= 0) return { ok: true, token: second, heldMs: third, leftMs };
      const token = Number(await run(confirmScript, [key], owner, await ledger.next(), ttlMs));
      // It ran out, or was flushed, between the two: nothing was granted.
      if (token === 0) return { ok: false, place: 0, leftMs: 0 };
      return { ok: true, token, heldMs: third, leftMs: ttlMs };
    },
    async renew(lock, owner, token, ttlMs) {
      const left = Number(await run(renewScript, [lockPrefix + lock], owner, token, ttlMs));
      return left < 0 ? null : left;
    },
    release: free,
    evict: (lock, token) => free(lock, "", token),
    withdraw: async (lock, owner) => void (await run(withdrawScript, [lockPrefix + lock], owner)),
    async list(limit) {
      const rows = (await run(listScript, [indexKey], lockPrefix, limit)) as string[];
      return rows.map((row) => readRecord(JSON.parse(row) as RawRecord));
    },
    async health() {
      const before = performance.now();
      return run("return 1", []).then(
        () => ({ ok: true, latencyMs: performance.now() - before, detail: "" }),
        (error: LockProviderDown) => ({ ok: false, latencyMs: null, detail: tell(error.cause) }),
      );
    },
    onFreed: (listener) => void listeners.push(listener),
    async close() {
      redis.disconnect();
    },
  };
}

interface RawRecord {
  readonly name: string;
  readonly lease?: Omit<NonNullable<LockRecord["lease"]>, "token"> & { readonly token?: number };
  /** Lua has one kind of empty table: it becomes `{}`. */
  readonly waiters: LockRecord["waiters"] | Record<string, never>;
}

function readRecord({ name, lease, waiters }: RawRecord): LockRecord {
  return {
    name,
    lease: lease === undefined ? null : { ...lease, token: lease.token ?? null },
    waiters: Array.isArray(waiters) ? waiters : [],
  };
}
