import { afterAll } from "vitest";
import { systemClock } from "../runtime/clock.ts";
import { type PostgresBackend, startPostgresBackend } from "../store/testing/postgres-backend.ts";
import {
  createMemoryLedger,
  createMemoryProvider,
  openPostgresLocks,
  openRedisLocks,
  openZooKeeperLocks,
  type PostgresLocks,
} from "./index.ts";
import { describeLockContract } from "./testing/contract.ts";
import { findRedis, findZooKeeper, startRedis, startZooKeeper } from "./testing/servers.ts";

const monoMs = () => systemClock.monoMs();
const closers: (() => Promise<void>)[] = [];
const closeAll = async (): Promise<void> => {
  for (const close of closers.splice(0).reverse()) await close();
};

let backend: PostgresBackend | null = null;
async function openTokens(): Promise<PostgresLocks> {
  backend ??= await startPostgresBackend();
  const opened = openPostgresLocks(await backend.createDatabase());
  closers.push(() => opened.provider.close());
  return opened;
}
afterAll(() => backend?.stopServer());

describeLockContract("memory", async () => createMemoryProvider(createMemoryLedger(), monoMs), closeAll);

describeLockContract("PostgreSQL", async () => (await openTokens()).provider, closeAll);

const redis = findRedis();
if (redis !== null) {
  const open = async () => {
    const { ledger } = await openTokens();
    const server = await startRedis(redis);
    closers.push(() => server.stop());
    const provider = openRedisLocks({ name: "redis", url: `redis://127.0.0.1:${server.port}`, ledger });
    closers.push(() => provider.close());
    return provider;
  };
  describeLockContract("Redis", open, closeAll);
}

const zooKeeper = findZooKeeper();
if (zooKeeper !== null) {
  const open = async () => {
    const { ledger } = await openTokens();
    const server = await startZooKeeper(zooKeeper);
    closers.push(() => server.stop());
    const connection = `127.0.0.1:${server.port}`;
    const provider = openZooKeeperLocks({ name: "zookeeper", connection, ledger, monoMs });
    closers.push(() => provider.close());
    return provider;
  };
  describeLockContract("ZooKeeper", open, closeAll);
}
