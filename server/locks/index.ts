/** The locks' public face: for the composition root, tests and benches. */
export { createLocks } from "./lock-service.ts";
export { createMemoryLedger, createMemoryProvider } from "./memory/memory-provider.ts";
export { type LockProviderConfig, openLocks } from "./open-locks.ts";
export { createOwnLocks } from "./own-locks.ts";
export { openPostgresLocks, type PostgresLocks } from "./postgres/postgres-provider.ts";
export { openRedisLocks } from "./redis/redis-provider.ts";
export { openZooKeeperLocks, type ZooKeeperLockProvider } from "./zookeeper/zookeeper-provider.ts";
