import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HeldLock, LockClient, LockError } from "../../../clients/node/locks.ts";
import type { LocksView } from "../../protocol/index.ts";
import { startTestServer, type TestServer } from "../../testing/start-server.ts";

let server: TestServer;
let application: string;
let operator: string;
beforeAll(async () => {
  server = await startTestServer();
  application = await server.apiToken("application");
  operator = await server.apiToken("operator");
});
afterAll(() => server.stop());

let lastName = 0;
const freshName = (): string => `jobs/${++lastName}`;
const requestId = (text: string): string => text.padEnd(16, "-");

async function post(path: string, body: object, token = application) {
  const response = await fetch(`${server.url}/api/v1/locks/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, body: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown> };
}

async function look(): Promise<LocksView> {
  const response = await fetch(`${server.url}/api/v1/locks`, { headers: { authorization: `Bearer ${operator}` } });
  return (await response.json()) as LocksView;
}

describe("locks over the API", () => {
  it("gives a lock, answers the same request with the same grant, and takes it back", async () => {
    const lock = { name: freshName(), requestId: requestId("a") };
    const first = await post("acquire", { ...lock, holder: "worker 7" });
    expect(first.body).toMatchObject({ kind: "granted", provider: "postgres" });
    const { token } = first.body;
    expect((await post("acquire", lock)).body).toMatchObject({ kind: "granted", token });
    expect((await post("renew", { ...lock, token, ttlMs: 60_000 })).body.leftMs).toBeGreaterThan(50_000);
    expect((await post("release", { ...lock, token })).body).toEqual({ released: true });
    expect((await post("release", { ...lock, token })).body).toEqual({ released: false });
    const renewed = await post("renew", { ...lock, token });
    expect(renewed).toMatchObject({ status: 409, body: { code: "lock-lost" } });
  });

  it("lets nobody use another's request id, nor shows it", async () => {
    const lock = { name: freshName(), requestId: requestId("secret") };
    const { body } = await post("acquire", lock);
    expect((await post("renew", { ...lock, token: body.token }, operator)).status).toBe(409);
    expect((await post("release", { ...lock, token: body.token }, operator)).body).toEqual({ released: false });
    expect(JSON.stringify(await look())).not.toContain("secret");
  });

  it("waits in a long poll and shows who waits", async () => {
    const name = freshName();
    const first = await post("acquire", { name, requestId: requestId("a") });
    const second = post("acquire", { name, requestId: requestId("b"), waitMs: 20_000, holder: "second" });
    await expect
      .poll(async () =>
        (await look()).providers[0]?.locks.find((lock) => lock.name === name)?.waiters.map((w) => w.label),
      )
      .toEqual(["second (application)"]);
    await post("release", { name, requestId: requestId("a"), token: first.body.token });
    const { body } = await second;
    expect(body.kind).toBe("granted");
    expect(body.token).toBeGreaterThan(first.body.token as number);
  });

  it("limits a token to its names, and keeps the control plane's own from the others", async () => {
    expect(await post("acquire", { name: "holdfast/x", requestId: requestId("a") })).toMatchObject({
      status: 403,
      body: { code: "lock-name" },
    });
    const made = await fetch(`${server.url}/api/v1/tokens`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${await server.apiToken("admin")}`,
      },
      body: JSON.stringify({ name: "billing", role: "application", lockPrefixes: ["billing/"] }),
    });
    const { token } = (await made.json()) as { token: string };
    expect((await post("acquire", { name: "billing/run", requestId: requestId("a") }, token)).status).toBe(200);
    const refused = await post("acquire", { name: "payroll/run", requestId: requestId("a") }, token);
    expect(refused.status).toBe(403);
    expect(refused.body.detail).toContain("billing/");
  });

  it("takes a lock away only by its typed name and its present token, and writes it down", async () => {
    const name = freshName();
    const { body } = await post("acquire", { name, requestId: requestId("a") });
    const evict = (more: object) => post("evict", { name, token: body.token, reason: "stuck", ...more }, operator);
    expect(await evict({ confirm: "other" })).toMatchObject({ status: 409, body: { code: "not-confirmed" } });
    expect(await evict({ confirm: name, token: 9_999_999 })).toMatchObject({
      status: 409,
      body: { code: "lock-changed" },
    });
    expect((await evict({ confirm: name })).body).toEqual({ released: true });
    expect((await post("evict", { name, token: body.token, confirm: name, reason: "x" })).status).toBe(403);
    const { items } = await server.stores.reads.audit({ limit: 10, subject: `lock:postgres/${name}` });
    expect(items[0]).toMatchObject({ verb: "lock-released", reason: "stuck", before: { token: body.token } });
  });

  it("says which providers there are when one is not known", async () => {
    const answer = await post("acquire", { name: "x", requestId: requestId("a"), provider: "etcd" });
    expect(answer).toMatchObject({ status: 404, body: { code: "unknown-provider" } });
    expect(answer.body.detail).toContain("postgres");
  });
});

describe("the Node client", () => {
  const client = () => new LockClient({ url: server.url, token: application });

  it("keeps a lock beyond its time to live while work goes on, and gives it back", async () => {
    const name = freshName();
    await client().run(name, { ttlMs: 1_000 }, async (lock) => {
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      expect(lock.signal.aborted).toBe(false);
      expect(lock.leftMs).toBeGreaterThan(0);
    });
    const lock = await client().acquire(name, { waitMs: 0 });
    await lock.release();
  });

  it("says that a lock was not free, and leaves the queue", async () => {
    const name = freshName();
    const held = await client().acquire(name);
    const failure = await client()
      .acquire(name, { waitMs: 300 })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "lock-busy" });
    expect((await look()).providers[0]?.locks.find((lock) => lock.name === name)?.waiters).toEqual([]);
    await held.release();
  });

  it("aborts the work when the lock is taken away", async () => {
    const name = freshName();
    const held: HeldLock = await client().acquire(name, { ttlMs: 1_000 });
    await post("evict", { name, token: held.fencingToken, confirm: name, reason: "test" }, operator);
    await new Promise((resolve) => held.signal.addEventListener("abort", resolve));
    expect(held.signal.reason).toBeInstanceOf(LockError);
    expect(held.leftMs).toBe(0);
    expect(await held.release()).toBe(false);
  });

  it("aborts the work when no renewal is answered in time", async () => {
    const alone = await startTestServer();
    const token = await alone.apiToken("application");
    const held = await new LockClient({ url: alone.url, token }).acquire("alone", { ttlMs: 1_000 });
    await alone.stop();
    await new Promise((resolve) => held.signal.addEventListener("abort", resolve));
    expect((held.signal.reason as Error).message).toContain("lost");
  });
});
