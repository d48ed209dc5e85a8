import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import type { SeriesView } from "../protocol/index.ts";
import { FakeAgent, makeKeys } from "../testing/fake-agent.ts";
import { startTestServer, type TestServer } from "../testing/start-server.ts";
import { makeRequests, makeTelemetry } from "../testing/telemetry.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const open = (...rest: [ReturnType<typeof makeKeys>?, string?]) => FakeAgent.open(server.url, ...rest);

describe("enrolment", () => {
  it("takes a node in by its token, and by its key from then on", async () => {
    const keys = makeKeys();
    const first = await open(keys);
    const enrolmentToken = await server.enrolmentToken("pg-a");
    expect(await first.enter("pg-a", { enrolmentToken })).toMatchObject({ t: "welcome", heartbeatMs: 250 });
    first.close();
    const second = await open(keys);
    expect(await second.enter("pg-a")).toMatchObject({ t: "welcome" });
    second.close();
  });

  it.each([
    ["an unknown token", "no-such-token", "token-unknown"],
    ["no token and an unknown key", undefined, "key-unknown"],
  ])("refuses %s", async (_title, enrolmentToken, code) => {
    const agent = await open();
    expect(await agent.enter("stranger", { enrolmentToken })).toMatchObject({ t: "refused", code });
    expect((await agent.end()).code).toBe(1008);
  });

  it("refuses a token that was used, has run out, or was made for another node", async () => {
    const used = await server.enrolmentToken(null);
    const winner = await open();
    expect(await winner.enter("used-once", { enrolmentToken: used })).toMatchObject({ t: "welcome" });
    const cases = [
      ["used-twice", used, "token-used"],
      ["too-late", await server.enrolmentToken(null, -1), "token-expired"],
      ["not-mine", await server.enrolmentToken("somebody-else"), "token-scope"],
    ] as const;
    for (const [node, enrolmentToken, code] of cases) {
      const agent = await open();
      expect(await agent.enter(node, { enrolmentToken })).toMatchObject({ t: "refused", code });
    }
    winner.close();
  });

  it("lets one of two agents with one token in", async () => {
    const enrolmentToken = await server.enrolmentToken(null);
    const agents = await Promise.all([open(), open()]);
    const answers = await Promise.all(agents.map((agent, i) => agent.enter(`twin-${i}`, { enrolmentToken })));
    expect(answers.map((answer) => answer.t).sort()).toEqual(["refused", "welcome"]);
    for (const agent of agents) agent.close();
  });

  it("gives a name to one of two agents that enrol at once, whatever the order of their answers", async () => {
    const { directory } = server.stores;
    const consume = directory.consumeEnrolmentToken.bind(directory);
    const slow = vi.spyOn(directory, "consumeEnrolmentToken").mockImplementation(async (hash, now) => {
      await sleep(50);
      return consume(hash, now);
    });
    const agents = await Promise.all([open(), open()]);
    const tokens = await Promise.all([server.enrolmentToken(null), server.enrolmentToken(null)]);
    const answers = await Promise.all(
      agents.map((agent, index) => agent.enter("one-name", { enrolmentToken: tokens[index] })),
    );
    slow.mockRestore();
    expect(answers.map((answer) => (answer.t === "refused" ? answer.code : answer.t)).sort()).toEqual([
      "name-taken",
      "welcome",
    ]);
    const winner = agents[answers.findIndex((answer) => answer.t === "welcome")];
    const { nodes } = await server.stores.store.load();
    expect(nodes.get("one-name")?.publicKey).toBe(winner?.agentKey);
    for (const agent of agents) agent.close();
  });

  it("does not spend the token on a name that is taken", async () => {
    const enrolmentToken = await server.enrolmentToken(null);
    const thief = await open();
    expect(await thief.enter("used-once", { enrolmentToken })).toMatchObject({ t: "refused", code: "name-taken" });
    const honest = await open();
    expect(await honest.enter("a-new-name", { enrolmentToken })).toMatchObject({ t: "welcome" });
    honest.close();
  });
});

describe("sockets without a proof", () => {
  it("are limited for one address; agents that proved their key don't count, and others come in", async () => {
    const known = await Promise.all(
      Array.from({ length: 3 }, async (_, index) => {
        const agent = await open();
        await agent.enter(`counted-${index}`, { enrolmentToken: await server.enrolmentToken(null) });
        return agent;
      }),
    );
    const silent: FakeAgent[] = [];
    for (let i = 0; i < 64; i++) silent.push(await open());
    await expect(open()).rejects.toThrow("503");
    const elsewhere = new WebSocket(`${server.url.replace("http", "ws")}/agent`, { localAddress: "127.0.0.2" });
    await new Promise((resolve, reject) => elsewhere.once("open", resolve).once("error", reject));
    elsewhere.terminate();
    for (const agent of silent) agent.close();
    await expect.poll(() => open().then((agent) => agent.close() ?? "open", String)).toBe("open");
    for (const agent of known) agent.close();
  });
});

describe("proof", () => {
  const keys = makeKeys();
  beforeAll(async () => {
    const agent = await open(keys);
    await agent.enter("proven", { enrolmentToken: await server.enrolmentToken("proven") });
    agent.close();
  });

  it("proves the server's key to the agent", async () => {
    const agent = await open(keys);
    agent.send(agent.hello("proven"));
    const challenge = await agent.nextOf("challenge");
    expect(challenge.serverKey).toBe((await server.stores.directory.serverKey()).publicKey);
    expect(challenge.signature).not.toBe(agent.prove(challenge.nonce, challenge.serverKey, "server"));
    agent.close();
  });

  it("refuses a signature by another key, over another nonce, or in the server's role", async () => {
    const other = await open();
    const mistakes = [
      (_agent: FakeAgent, nonce: string, serverKey: string) => other.prove(nonce, serverKey),
      (agent: FakeAgent, _nonce: string, serverKey: string) => agent.prove("another-nonce", serverKey),
      (agent: FakeAgent, nonce: string, serverKey: string) => agent.prove(nonce, serverKey, "server"),
      () => "AAAA",
    ];
    for (const mistake of mistakes) {
      const agent = await open(keys);
      agent.send(agent.hello("proven"));
      const { nonce, serverKey } = await agent.nextOf("challenge");
      agent.send({ t: "proof", signature: mistake(agent, nonce, serverKey) });
      expect(await agent.next()).toMatchObject({ t: "refused", code: "bad-proof" });
    }
    other.close();
  });

  it("refuses a recorded handshake", async () => {
    const recorded = await open(keys);
    recorded.send(recorded.hello("proven"));
    const first = await recorded.nextOf("challenge");
    const signature = recorded.prove(first.nonce, first.serverKey);
    recorded.send({ t: "proof", signature });
    await recorded.nextOf("welcome");
    const replayed = await open(keys);
    replayed.send(replayed.hello("proven"));
    expect((await replayed.nextOf("challenge")).nonce).not.toBe(first.nonce);
    replayed.send({ t: "proof", signature });
    expect(await replayed.next()).toMatchObject({ t: "refused", code: "bad-proof" });
    recorded.close();
  });

  it("refuses a key under another name, and another protocol", async () => {
    const renamed = await open(keys);
    expect(await renamed.enter("somebody")).toMatchObject({ t: "refused", code: "name-taken" });
    const future = await open(keys);
    expect(await future.enter("proven", { protocol: 2 })).toMatchObject({ t: "refused", code: "protocol" });
  });

  it("ends the older of two sessions with one key", async () => {
    const older = await open(keys);
    await older.enter("proven");
    const newer = await open(keys);
    expect(await newer.enter("proven")).toMatchObject({ t: "welcome" });
    expect(await older.end()).toEqual({ code: 1008, reason: "replaced" });
    newer.close();
  });

  async function revoke(node: string): Promise<void> {
    const token = await server.apiToken("admin");
    const response = await fetch(`${server.url}/api/v1/nodes/${node}/revoke`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ reason: "stolen" }),
    });
    expect(response.status).toBe(200);
  }

  it("does not let in a node that is revoked while it is admitted", async () => {
    const agent = await open();
    const enrolmentToken = await server.enrolmentToken("unlucky");
    vi.spyOn(server.stores.store, "appliedRecords").mockImplementationOnce(async () => {
      await revoke("unlucky");
      return 0;
    });
    const answer = await agent.enter("unlucky", { enrolmentToken, spoolId: "s" });
    expect(answer).toMatchObject({ t: "refused", code: "key-revoked" });
  });

  it("drops a revoked node at once and does not let it in again", async () => {
    const agent = await open(keys);
    await agent.enter("proven");
    await revoke("proven");
    expect(await agent.end(1_000)).toEqual({ code: 1008, reason: "key-revoked" });
    const again = await open(keys);
    expect(await again.enter("proven")).toMatchObject({ t: "refused", code: "key-revoked" });
  });
});

describe("frames", () => {
  async function enterFresh(node: string): Promise<FakeAgent> {
    const agent = await open();
    await agent.enter(node, { enrolmentToken: await server.enrolmentToken(node) });
    return agent;
  }

  it("ends the session on rubbish, with a reason, and goes on serving", async () => {
    const rubbish: readonly (string | Buffer)[] = [
      "",
      "not json",
      "[]",
      "null",
      '{"t":"heartbeat"}',
      '{"t":"no-such-frame"}',
      '{"t":"hello"}',
      '{"t":"constructor"}',
      Buffer.from([0, 1, 2]),
      `{"t":"result","commandId":"a","outcome":{"status":"done","data":${"[".repeat(2_000)}${"]".repeat(2_000)}},"nodeAt":0}`,
    ];
    for (const [index, text] of rubbish.entries()) {
      const agent = await enterFresh(`rubbish-${index}`);
      agent.sendText(text);
      expect(await agent.end(), JSON.stringify(text).slice(0, 60)).toMatchObject({ code: 1008 });
    }
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });

  it("ends the session on a message beyond the limit", async () => {
    const agent = await enterFresh("too-large");
    agent.sendText("x".repeat(300 * 1024));
    expect((await agent.end()).code).toBe(1009);
  });

  it("ends the session when frames come too fast", async () => {
    const agent = await enterFresh("too-fast");
    for (let i = 0; i < 400; i++) agent.send({ t: "progress", commandId: "none", progress: 0, data: {} });
    expect(await agent.end()).toEqual({ code: 1008, reason: "too many frames" });
  });

  it("applies a spool once and in order, whatever is repeated", async () => {
    const agent = await enterFresh("spooler");
    const record = (at: number) => ({ kind: "signal", at, code: "test-signal", data: {} }) as const;
    agent.send({ t: "records", spoolId: "s1", firstSeq: 1, records: [record(1), record(2)] });
    expect(await agent.nextOf("records-ack")).toMatchObject({ spoolId: "s1", upTo: 2 });
    agent.send({ t: "records", spoolId: "s1", firstSeq: 2, records: [record(2), record(3)] });
    expect(await agent.nextOf("records-ack")).toMatchObject({ upTo: 3 });
    agent.close();
    expect(await server.stores.store.appliedRecords("spooler", "s1")).toBe(3);
  });

  it("keeps records that the store can't take and acknowledges them when it can", async () => {
    const agent = await enterFresh("patient");
    server.stores.faults.available = false;
    agent.send({
      t: "records",
      spoolId: "s2",
      firstSeq: 1,
      records: [{ kind: "signal", at: 1, code: "test-signal", data: {} }],
    });
    await sleep(300);
    expect(agent.frames.filter((frame) => frame.t === "records-ack")).toEqual([]);
    server.stores.faults.available = true;
    expect(await agent.nextOf("records-ack")).toMatchObject({ upTo: 1 });
    agent.close();
  });

  it("stores records of one agent at a bounded rate, over sessions, and loses none", async () => {
    const keys = makeKeys();
    const begun = performance.now();
    let enrolmentToken: string | undefined = await server.enrolmentToken("chatty");
    const record = { kind: "signal", at: 1, code: "test-signal", data: {} } as const;
    let upTo = 0;
    for (let session = 0; session < 2; session++) {
      const agent = await open(keys);
      await agent.enter("chatty", { enrolmentToken });
      enrolmentToken = undefined;
      for (let frame = 0; frame < 13; frame++) {
        agent.send({ t: "records", spoolId: "s", firstSeq: upTo + 1, records: Array(200).fill(record) });
        ({ upTo } = await agent.nextOf("records-ack"));
      }
      agent.close();
    }
    expect(upTo).toBe(5_200);
    // 4,000 at once, the rest at 2,000 in a second.
    expect(performance.now() - begun).toBeGreaterThan(590);
  });

  it("refuses an Origin header, and upgrades of any other path", async () => {
    for (const [path, headers] of [
      ["/agent", { origin: server.url }],
      ["/live", {}],
      ["/live", { origin: "http://evil.example" }],
      ["/live", { origin: server.url }],
      ["/elsewhere", {}],
    ] as const) {
      const socket = new WebSocket(`${server.url.replace("http", "ws")}${path}`, { headers });
      const failed = await new Promise((resolve) => {
        socket.once("open", () => resolve(false));
        socket.once("error", () => resolve(true));
      });
      expect(failed, `${path} ${JSON.stringify(headers)}`).toBe(true);
    }
  });
});

describe("telemetry", () => {
  it("is on the map, in the figures and on the command line's routes, under the node that sent it", async () => {
    const agent = await open();
    await agent.enter("app-1", { enrolmentToken: await server.enrolmentToken("app-1") });
    const second = Math.floor(Date.now() / 1_000) - 2;
    agent.send(
      makeTelemetry({
        at: Date.now(),
        services: [{ name: "orders", version: "1.0", dependsOn: ["payments"], declared: true }],
        gauges: [{ service: "orders", name: "cpuPercent", value: 12 }],
        buckets: [{ second, requests: [makeRequests("orders", 30, 12)], calls: [] }],
      }),
    );
    const headers = { authorization: `Bearer ${await server.apiToken("viewer")}` };
    const ask = async (path: string) => (await fetch(`${server.url}/api/v1/${path}`, { headers })).json();
    await expect
      .poll(() => ask("services/orders"))
      .toMatchObject({
        nodes: ["app-1"],
        gauges: { cpuPercent: 12 },
        traffic: { perSecond: 2 },
        dependsOn: ["payments"],
      });
    expect(await ask("topology")).toMatchObject({
      edges: expect.arrayContaining([expect.objectContaining({ to: "host:app-1" })]),
    });
    const { series } = (await ask(`services/orders/series?fromMs=${second}000&toMs=${second}000`)) as SeriesView;
    expect(series).toMatchObject({ requests: [30], latencyMeanMs: [12] });
    agent.close();
  });
});
