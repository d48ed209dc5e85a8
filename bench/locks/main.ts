// npm run bench:locks: acquire and release by provider beside the naive SET NX without fencing, on real servers started here; then what each of
// them lets happen when holders are paused beyond their lease.
import { rmSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { makeTemporaryFolder } from "../../demo/folder.ts";
import { migrateDatabase } from "../../prisma/migrate.ts";
import { readCommand, readWhole } from "../../scripts/command-line.ts";
import { openPostgresLocks, openRedisLocks, openZooKeeperLocks } from "../../server/locks/index.ts";
import { findRedis, findZooKeeper, startRedis, startZooKeeper } from "../../server/locks/testing/servers.ts";
import type { LockProvider } from "../../server/ports/locks.ts";
import { systemClock } from "../../server/runtime/clock.ts";
import { startEmbeddedPostgres } from "../../server/store/index.ts";
import { type Contender, measurePairs, measurePauses } from "./measure.ts";

const usage = `npm run bench:locks -- [--seconds N] [--clients N] [--json]
  --seconds N   how long each provider is used, twice (default 5)
  --clients N   programs that want locks at a time (default 4)
  --json        the last line is one object`;

const { seconds, clients, json } = readCommand(
  usage,
  {
    seconds: { type: "string", default: "5" },
    clients: { type: "string", default: "4" },
    json: { type: "boolean", default: false },
  },
  (values) => ({
    seconds: readWhole("--seconds", values.seconds, 1, 86_400),
    clients: readWhole("--clients", values.clients, 1, 1_000),
    json: values.json,
  }),
);

interface Figures {
  readonly pairsPerSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly grants: number;
  readonly pausedHolders: number;
  /** Writes of an older holder that the resource took after one of a newer holder. */
  readonly violations: number;
  readonly refusedWrites: number;
}

async function measure(contender: Contender): Promise<Figures> {
  const pairs = await measurePairs(contender, clients, seconds * 1_000);
  const pauses = await measurePauses(contender, seconds * 1_000);
  return { ...pairs, ...pauses };
}

function contend(provider: LockProvider): Contender {
  return {
    hasToken: true,
    async acquire(name, owner, ttlMs) {
      const answer = await provider.attempt({ name, owner, holder: owner, ttlMs, placeMs: 0 });
      return answer.ok ? answer.token : null;
    },
    release: async (name, owner, token) => void (await provider.release(name, owner, token)),
  };
}

/** What many programs do: the key says who holds, nothing says which grant came first. */
function contendNaively(redis: Redis): Contender {
  const compareAndDelete =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";
  return {
    hasToken: false,
    acquire: async (name, owner, ttlMs) => ((await redis.set(name, owner, "PX", ttlMs, "NX")) === "OK" ? 0 : null),
    release: async (name, owner) => void (await redis.eval(compareAndDelete, 1, name, owner)),
  };
}

async function main(): Promise<void> {
  const folder = makeTemporaryFolder("holdfast-bench-locks-");
  const stops: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const figures: Record<string, Figures> = {};
  let peer: (Figures & { name: string }) | null = null;
  try {
    const postgres = await startEmbeddedPostgres({ dataDir: join(folder, "pg") });
    stops.push(() => postgres.stop());
    await migrateDatabase(postgres.url);
    const { provider, ledger } = openPostgresLocks(postgres.url);
    stops.push(() => provider.close());
    figures.postgres = await measure(contend(provider));
    const redisProgram = findRedis();
    if (redisProgram !== null) {
      const server = await startRedis(redisProgram);
      const url = `redis://127.0.0.1:${server.port}`;
      const redis = openRedisLocks({ name: "redis", url, ledger });
      const direct = new Redis(url);
      stops.push(
        () => server.stop(),
        () => redis.close(),
        () => direct.disconnect(),
      );
      figures.redis = await measure(contend(redis));
      peer = { name: "Redis SET NX PX without fencing", ...(await measure(contendNaively(direct))) };
    }
    const zooKeeperProgram = findZooKeeper();
    if (zooKeeperProgram !== null) {
      const server = await startZooKeeper(zooKeeperProgram);
      const connection = `127.0.0.1:${server.port}`;
      const zooKeeper = openZooKeeperLocks({
        name: "zookeeper",
        connection,
        ledger,
        monoMs: () => systemClock.monoMs(),
      });
      stops.push(
        () => server.stop(),
        () => zooKeeper.close(),
      );
      figures.zookeeper = await measure(contend(zooKeeper));
    }
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
  if (!json) {
    console.table({ ...figures, ...(peer === null ? {} : { [peer.name]: peer }) });
    return;
  }
  console.log(
    JSON.stringify({ bench: "locks", seconds, clients, processors: cpus().length, providers: figures, peer }),
  );
}

await main();
