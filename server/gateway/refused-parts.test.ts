import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NodeDetail } from "../protocol/index.ts";
import { FakeAgent } from "../testing/fake-agent.ts";
import { startTestServer, type TestServer } from "../testing/start-server.ts";
import { makeRequests, makeTelemetry } from "../testing/telemetry.ts";
import { RefusalLedger } from "./refusal-ledger.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

async function enter(node: string): Promise<FakeAgent> {
  const agent = await FakeAgent.open(server.url);
  await agent.enter(node, { enrolmentToken: await server.enrolmentToken(node) });
  return agent;
}

async function ask<T>(path: string): Promise<T> {
  const headers = { authorization: `Bearer ${await server.apiToken("viewer")}` };
  return (await (await fetch(`${server.url}/api/v1/${path}`, { headers })).json()) as T;
}

const refusedOf = async (node: string) => (await ask<NodeDetail>(`nodes/${node}`)).refused;

const trace = {
  service: "billing",
  language: "javascript",
  type: "TypeError",
  message: "x is undefined",
  frames: [{ function: "pay", file: "pay.js", line: 7 }],
  traceId: null,
  count: 3,
};

const beat = (over: object) =>
  JSON.stringify({
    t: "heartbeat",
    seq: 1,
    bootId: "b",
    monoMs: 1,
    wallMs: Date.now(),
    eager: false,
    loopLagMs: 0,
    host: null,
    postgres: null,
    peers: [],
    checks: [],
    workloads: [],
    ...over,
  });

describe("records that are refused", () => {
  it("are left out one by one: the spool goes on behind them, and the others are kept", async () => {
    const agent = await enter("spool-1");
    const good = { kind: "trace", at: Date.now(), trace };
    const bad = [
      { ...good, trace: { ...trace, language: "klingon" } },
      { ...good, trace: { ...trace, count: -1 } },
      { kind: "signal", at: Date.now(), code: "not a code", data: {} },
      null,
    ];
    const send = (firstSeq: number, records: readonly unknown[]) =>
      agent.sendText(JSON.stringify({ t: "records", spoolId: "s1", firstSeq, records }));
    send(1, [bad[0], good, bad[1], bad[2], good, bad[3]]);
    expect(await agent.nextOf("records-ack")).toMatchObject({ spoolId: "s1", upTo: 6 });
    // A frame of nothing but a bad record must not come for ever, either.
    send(7, [bad[0]]);
    expect(await agent.nextOf("records-ack")).toMatchObject({ upTo: 7 });
    send(8, [good]);
    expect(await agent.nextOf("records-ack")).toMatchObject({ upTo: 8 });
    expect(agent.closed).toBeNull();
    const { items } = await ask<{ items: { service: string; count: number }[] }>("traces?node=spool-1");
    expect(items).toMatchObject([{ service: "billing", count: 9 }]);
    expect(await refusedOf("spool-1")).toMatchObject({
      count: 5,
      kinds: [
        { part: "record", place: "trace.language", why: "unknown-value", count: 2 },
        { part: "record", place: "", why: "wrong-type", count: 1 },
        { part: "record", place: "code", why: "bad-format", count: 1 },
        { part: "record", place: "trace.count", why: "too-small", count: 1 },
      ],
    });
    agent.close();
  });

  it("still end the session when what holds them is no records frame", async () => {
    for (const [index, over] of [{ firstSeq: 0 }, { spoolId: "a b" }, { records: {} }].entries()) {
      const agent = await enter(`no-records-${index}`);
      agent.sendText(JSON.stringify({ t: "records", spoolId: "s", firstSeq: 1, records: [], ...over }));
      expect((await agent.end()).code).toBe(1008);
    }
  });
});

describe("parts of telemetry that are refused", () => {
  it("are left out, and the rest of the frame counts", async () => {
    const agent = await enter("app-1");
    const second = Math.floor(Date.now() / 1_000) - 2;
    const frame = makeTelemetry({ at: Date.now() });
    agent.sendText(
      JSON.stringify({
        ...frame,
        services: [{ name: "orders", version: null, dependsOn: [], declared: true }, { name: "" }],
        gauges: [
          { service: "orders", name: "cpuPercent", value: 12 },
          { service: "orders", name: "cpu", value: "much" },
        ],
        buckets: [
          { second, requests: [makeRequests("orders", 30, 12), { service: "orders", count: -1 }], calls: [] },
          { second: -1, requests: [], calls: [{ from: 1 }] },
        ],
        spans: { ...frame.spans, op: [7] },
        logs: "none",
      }),
    );
    await expect
      .poll(() => ask("services/orders"))
      .toMatchObject({ gauges: { cpuPercent: 12 }, traffic: { perSecond: 2 } });
    expect(agent.closed).toBeNull();
    const refused = await refusedOf("app-1");
    expect(refused?.kinds.map(({ part }) => part).sort()).toEqual([
      "calls",
      "gauge",
      "log",
      "requests",
      "second",
      "service",
      "spans",
    ]);
    agent.close();
  });

  it("are told by node in the metrics", async () => {
    const agent = await enter("app-2");
    agent.sendText(JSON.stringify({ t: "telemetry", at: "now" }));
    agent.sendText(JSON.stringify({ t: "progress", commandId: "c", progress: 7, data: {} }));
    agent.sendText(beat({ checks: [{ name: "c" }], host: { cpu: -1 } }));
    await expect.poll(() => refusedOf("app-2")).toMatchObject({ count: 4 });
    const text = await (await fetch(`${server.url}/metrics`, { headers: await metricsHeaders() })).text();
    for (const part of ["telemetry", "progress", "check", "host"]) {
      expect(text).toContain(`holdfast_refused_parts_total{node="app-2",part="${part}"} 1`);
    }
    // The beat counts without its check.
    expect((await ask<NodeDetail>("nodes/app-2")).lastSeenAt).toBeGreaterThan(Date.now() - 5_000);
    expect(agent.closed).toBeNull();
    agent.close();
  });

  it("are whole frames that come too often, which are told as well", async () => {
    const agent = await enter("app-4");
    for (let i = 0; i < 30; i += 1) agent.send(makeTelemetry({ at: Date.now() }));
    await expect
      .poll(() => refusedOf("app-4"))
      .toMatchObject({ kinds: [{ part: "telemetry", place: "", why: "too-often" }] });
    expect(agent.closed).toBeNull();
    agent.close();
  });

  it("end the session when next to nothing else comes", async () => {
    const agent = await enter("app-3");
    for (let i = 0; i < 150; i += 1) agent.sendText(JSON.stringify({ t: "telemetry" }));
    expect(await agent.end()).toEqual({ code: 1008, reason: "too many frames with refused parts" });
  });

  it("are no way in for who has not proved a key", async () => {
    const agent = await FakeAgent.open(server.url);
    agent.sendText(JSON.stringify({ t: "telemetry" }));
    expect((await agent.end()).code).toBe(1008);
  });
});

async function metricsHeaders(): Promise<Record<string, string>> {
  return { authorization: `Bearer ${await server.apiToken("viewer")}` };
}

describe("the ledger of refusals", () => {
  it("counts everything and keeps few words", () => {
    const ledger = new RefusalLedger();
    for (let i = 0; i < 1_000; i += 1) {
      ledger.add("app-1", [{ part: "record", place: `data.key${i}`, why: "invalid" }], i, i);
    }
    const read = ledger.read("app-1");
    expect(read?.count).toBe(1_000);
    expect(read?.kinds.map(({ place }) => place)).toEqual(Array.from({ length: 8 }, (_, i) => `data.key${999 - i}`));
    expect(ledger.counts()).toEqual([{ node: "app-1", part: "record", count: 1_000 }]);
    expect(ledger.read("app-2")).toBeNull();
  });

  it("asks for a line in the log once a minute for each node", () => {
    const ledger = new RefusalLedger();
    const part = { part: "gauge", place: "value", why: "wrong-type" } as const;
    expect(ledger.add("a", [part], 0, 0)).toBe(true);
    expect(ledger.add("a", [part], 0, 59_000)).toBe(false);
    expect(ledger.add("b", [part], 0, 59_000)).toBe(true);
    expect(ledger.add("a", [part], 0, 60_000)).toBe(true);
  });
});
