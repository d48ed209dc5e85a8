import type { Clock } from "../ports/clock.ts";
import type { LockProvider, Locks } from "../ports/locks.ts";
import { createLocks } from "./lock-service.ts";
import { createMemoryLedger, createMemoryProvider } from "./memory/memory-provider.ts";
import { openPostgresLocks } from "./postgres/postgres-provider.ts";
import { openRedisLocks } from "./redis/redis-provider.ts";
import { openZooKeeperLocks } from "./zookeeper/zookeeper-provider.ts";

export type LockProviderConfig =
  | { readonly name: string; readonly kind: "redis"; readonly url: string }
  | { readonly name: string; readonly kind: "zookeeper"; readonly connect: string; readonly sessionTimeoutMs?: number };

/** PostgreSQL (or memory, where state is kept there) first: it is always there, and the tokens of all providers come from it. */
export function openLocks(databaseUrl: string | null, configs: readonly LockProviderConfig[], clock: Clock): Locks {
  const { provider: first, ledger } = databaseUrl === null ? openMemoryLocks(clock) : openPostgresLocks(databaseUrl);
  const others = configs.map((config): LockProvider => {
    if (config.kind === "redis") return openRedisLocks({ ...config, ledger });
    const { name, connect, sessionTimeoutMs } = config;
    return openZooKeeperLocks({ name, connection: connect, sessionTimeoutMs, ledger, monoMs: () => clock.monoMs() });
  });
  return createLocks([first, ...others], clock);
}

function openMemoryLocks(clock: Clock) {
  const ledger = createMemoryLedger();
  return { ledger, provider: createMemoryProvider(ledger, () => clock.monoMs(), "postgres") };
}
