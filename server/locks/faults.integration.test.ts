import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import zookeeper from "node-zookeeper-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FencedResource, LockClient, StaleTokenError } from "../../clients/node/locks.ts";
import { type LockAttempt, LockProviderDown } from "../ports/locks.ts";
import { systemClock } from "../runtime/clock.ts";
import { type PostgresBackend, startPostgresBackend } from "../store/testing/postgres-backend.ts";
import { startTestServer, type TestServer } from "../testing/start-server.ts";
import { openPostgresLocks, openRedisLocks, openZooKeeperLocks, type PostgresLocks } from "./index.ts";
import {
  endProcess,
  findRedis,
  findZooKeeper,
  type RealServer,
  startRedis,
  startZooKeeper,
} from "./testing/servers.ts";

const redisProgram = findRedis();
const zooKeeperProgram = findZooKeeper();
const monoMs = () => systemClock.monoMs();
const holderProgram = fileURLToPath(new URL("./testing/holder.ts", import.meta.url));
const ttlMs = 60_000;

let backend: PostgresBackend;
let redis: RealServer | null = null;
let zooKeeper: RealServer | null = null;
let tokens: PostgresLocks;
beforeAll(async () => {
  backend = await startPostgresBackend();
  tokens = openPostgresLocks(await backend.createDatabase());
  if (redisProgram !== null) redis = await startRedis(redisProgram);
  if (zooKeeperProgram !== null) zooKeeper = await startZooKeeper(zooKeeperProgram);
}, 120_000);
afterAll(async () => {
  await tokens.provider.close();
  await redis?.stop();
  await zooKeeper?.stop();
  await backend.stopServer();
});

const ask = (name: string, owner: string) => ({ name, owner, holder: owner, ttlMs, placeMs: ttlMs });
const tokenOf = (answer: LockAttempt): number => {
  if (!answer.ok) throw new Error(`not granted: place ${answer.place}`);
  return answer.token;
};

describe("a holder that was paused beyond its lease", () => {
  let server: TestServer;
  let token: string;
  beforeAll(async () => {
    const environment = {
      ...(redis === null ? {} : { HOLDFAST_LOCKS_REDIS: `redis://127.0.0.1:${redis.port}` }),
      ...(zooKeeper === null ? {} : { HOLDFAST_LOCKS_ZOOKEEPER: `127.0.0.1:${zooKeeper.port}` }),
    };
    server = await startTestServer(environment, await backend.createDatabase());
    token = await server.apiToken("application");
  });
  afterAll(() => server.stop());

  const providers = [
    "postgres",
    ...(redisProgram === null ? [] : ["redis"]),
    ...(zooKeeperProgram === null ? [] : ["zookeeper"]),
  ];
  it.each(providers)("wakes up and is refused by the resource: %s", async (provider) => {
    const name = `paused/${provider}`;
    const resource = new FencedResource(name);
    const holder = new Holder(
      fork(holderProgram, [server.url, token, provider, name], { execArgv: ["--import", "tsx"] }),
      resource,
    );
    try {
      const old = await holder.held;
      await expect.poll(() => holder.accepted).toBeGreaterThan(2);
      holder.child.kill("SIGSTOP");
      const next = await new LockClient({ url: server.url, token }).acquire(name, { provider, waitMs: 20_000 });
      expect(next.fencingToken).toBeGreaterThan(old);
      await resource.write(next.fencingToken, () => {});
      const acceptedBefore = holder.accepted;
      holder.child.kill("SIGCONT");
      await expect.poll(() => holder.refused, { timeout: 10_000 }).toBeGreaterThan(2);
      await holder.lost;
      expect(holder.accepted).toBe(acceptedBefore);
      expect(await next.release()).toBe(true);
    } finally {
      await endProcess(holder.child);
    }
  });
});

/** What the other process says, and what the resource answers to its writes. */
class Holder {
  accepted = 0;
  refused = 0;
  readonly held: Promise<number>;
  readonly lost: Promise<number>;
  readonly child: ChildProcess;

  constructor(child: ChildProcess, resource: FencedResource) {
    this.child = child;
    const told = (key: "held" | "lost"): Promise<number> =>
      new Promise((resolve) => {
        child.on("message", (message: Partial<Record<"held" | "lost", number>>) => {
          const value = message[key];
          if (value !== undefined) resolve(value);
        });
      });
    this.held = told("held");
    this.lost = told("lost");
    child.on("message", ({ write }: { write?: number }) => {
      if (write === undefined) return;
      resource
        .write(write, () => this.accepted++)
        .catch((error: unknown) => {
          if (error instanceof StaleTokenError) this.refused++;
        });
    });
  }
}

describe.runIf(redisProgram !== null)("Redis that forgets", () => {
  it("never makes a token go back, and its holders learn that they lost", async () => {
    const url = `redis://127.0.0.1:${redis?.port}`;
    const provider = openRedisLocks({ name: "redis", url, ledger: tokens.ledger });
    const direct = new Redis(url);
    const resource = new FencedResource("orders");
    const first = tokenOf(await provider.attempt(ask("flushed", "a")));
    await resource.write(first, () => {});
    await direct.flushall();
    const second = tokenOf(await provider.attempt(ask("flushed", "b")));
    expect(second).toBeGreaterThan(first);
    await resource.write(second, () => {});
    await expect(resource.write(first, () => {})).rejects.toThrow(StaleTokenError);
    expect(await provider.renew("flushed", "a", first, ttlMs)).toBeNull();
    expect(await provider.release("flushed", "a", first)).toBe(false);
    expect(await provider.renew("flushed", "b", second, ttlMs)).not.toBeNull();
    direct.disconnect();
    await provider.close();
  });

  it("grants nothing without a token: the ledger's database is away", async () => {
    const provider = openRedisLocks({
      name: "redis",
      url: `redis://127.0.0.1:${redis?.port}`,
      ledger: { next: () => Promise.reject(new LockProviderDown("postgres", "away")) },
    });
    await expect(provider.attempt(ask("tokenless", "a"))).rejects.toThrow(LockProviderDown);
    const listed = (await provider.list(100)).find((each) => each.name === "tokenless");
    expect(listed?.lease?.token ?? null).toBeNull();
    await provider.close();
  });

  it("says that it is away, and goes on when it is back", async () => {
    const own = await startRedis(redisProgram as string);
    const provider = openRedisLocks({ name: "redis", url: `redis://127.0.0.1:${own.port}`, ledger: tokens.ledger });
    const first = tokenOf(await provider.attempt(ask("restarted", "a")));
    await own.stop();
    await expect(provider.renew("restarted", "a", first, ttlMs)).rejects.toThrow(LockProviderDown);
    expect(await provider.health()).toMatchObject({ ok: false });
    const back = await startRedis(redisProgram as string, own.port);
    await expect.poll(async () => (await provider.health()).ok, { timeout: 15_000 }).toBe(true);
    expect(await provider.renew("restarted", "a", first, ttlMs)).toBeNull();
    expect(tokenOf(await provider.attempt(ask("restarted", "b")))).toBeGreaterThan(first);
    await provider.close();
    await back.stop();
  });
});

describe.runIf(zooKeeperProgram !== null)("ZooKeeper whose session expires", () => {
  it("tells the holder that the lock is lost; the next has a greater token", async () => {
    const connection = `127.0.0.1:${zooKeeper?.port}`;
    const provider = openZooKeeperLocks({ name: "zookeeper", connection, ledger: tokens.ledger, monoMs });
    let freed = 0;
    provider.onFreed(() => freed++);
    const first = tokenOf(await provider.attempt(ask("expired", "a")));
    expect(await provider.attempt(ask("expired", "b"))).toMatchObject({ ok: false, place: 1 });
    await endSession(connection, provider.credentials);
    await expect.poll(() => freed, { timeout: 15_000 }).toBeGreaterThan(0);
    await expect.poll(async () => (await provider.health()).ok, { timeout: 15_000 }).toBe(true);
    expect(await provider.renew("expired", "a", first, ttlMs)).toBeNull();
    expect(await provider.release("expired", "a", first)).toBe(false);
    expect(tokenOf(await provider.attempt(ask("expired", "b")))).toBeGreaterThan(first);
    await provider.close();
  });
});

/**
 * Whoever opens a session anew and closes it ends it for everybody: how ZooKeeper's own tests expire one. The one who had it connects again at
 * once and may take it back before the request to close it was read, so this goes on until the server says itself that the session is gone.
 */
async function endSession(connection: string, credentials: { sessionId: Buffer; sessionPassword: Buffer }) {
  for (let tries = 0; tries < 50; tries++) if ((await openAndClose(connection, credentials)) === "expired") return;
  throw new Error("the session could not be ended");
}

function openAndClose(connection: string, credentials: { sessionId: Buffer; sessionPassword: Buffer }) {
  return new Promise<"closed" | "expired">((resolve) => {
    const second = zookeeper.createClient(connection, { sessionTimeout: 6_000, ...credentials });
    second.once("connected", () => second.close());
    second.once("disconnected", () => resolve("closed"));
    second.once("expired", () => resolve("expired"));
    second.connect();
  });
}

describe("PostgreSQL restarted while locks are held", () => {
  it("keeps holders and the order of tokens", async () => {
    const own = await startPostgresBackend();
    const handle = await own.open();
    const { provider } = openPostgresLocks(await own.createDatabase());
    const first = tokenOf(await provider.attempt(ask("kept", "a")));
    expect(await provider.attempt(ask("kept", "b"))).toMatchObject({ ok: false, place: 1 });
    await handle.stop();
    await expect(provider.renew("kept", "a", first, ttlMs)).rejects.toThrow(LockProviderDown);
    await handle.start();
    expect(await provider.renew("kept", "a", first, ttlMs)).toBeGreaterThan(0);
    expect(await provider.attempt(ask("kept", "c"))).toMatchObject({ ok: false, place: 2 });
    expect(await provider.release("kept", "a", first)).toBe(true);
    expect(tokenOf(await provider.attempt(ask("kept", "b")))).toBeGreaterThan(first);
    await provider.close();
    await handle.close();
    await own.stopServer();
  }, 90_000);
});
