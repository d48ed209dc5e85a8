import { describe, expect, it } from "vitest";
import { decodeAgentFrame } from "../../server/protocol/decode-frame.ts";
import { limits } from "../../server/protocol/limits.ts";
import { traceLevel } from "../../server/protocol/trace-level.ts";
import type { AppSpan } from "./span.ts";
import { SpanSample } from "./span-sample.ts";
import { TelemetryHub } from "./telemetry-hub.ts";

const nowMs = 1_700_000_000_500;

function makeSpan(i: number, over: Partial<AppSpan> = {}): AppSpan {
  const traceId = Math.imul(i + 1, 2_654_435_761) >>> 0;
  return {
    traceId: traceId.toString(16).padStart(32, "0"),
    id: (i + 1).toString(16).padStart(16, "0"),
    parent: "",
    service: "orders",
    version: "1.0",
    op: "GET /",
    kind: 1,
    startAt: nowMs - 100,
    durationMs: 10,
    failed: false,
    peer: null,
    ...over,
  };
}

const open = (declared: { name: string; dependsOn: string[] }[] = [], spanBudget = 100) =>
  new TelemetryHub({ declared, spanBudget });

describe("the telemetry hub", () => {
  it("counts every span by the second it ended in, sampled or not", () => {
    const hub = open([], 10);
    hub.takeSpans(
      Array.from({ length: 5_000 }, (_, i) => makeSpan(i, { failed: i % 10 === 0, startAt: nowMs - (i % 2) * 3_000 })),
      nowMs,
    );
    const frames = hub.takeFrames(nowMs);
    const requests = frames.flatMap(({ buckets }) => buckets.flatMap((bucket) => bucket.requests));
    expect(requests.map(({ count, errors }) => [count, errors])).toEqual([
      [2_500, 500],
      [2_500, 0],
    ]);
    const [spans] = frames.flatMap((frame) => (frame.spans.trace.length > 0 ? [frame.spans] : []));
    expect(spans?.trace.length).toBeLessThanOrEqual(limits.maxSpansPerFrame);
    expect(spans?.traces.every((id) => traceLevel(id) >= (spans?.level ?? 0))).toBe(true);
  });

  it("names declared services always, and seen ones while they are seen", () => {
    const hub = open([{ name: "payments", dependsOn: ["bank"] }]);
    hub.takeSpans([makeSpan(1)], nowMs);
    const names = (atMs: number) => hub.takeFrames(atMs)[0]?.services.map(({ name, declared }) => [name, declared]);
    expect(names(nowMs)).toEqual([
      ["payments", true],
      ["orders", false],
    ]);
    expect(names(nowMs + 120_000)).toEqual([["payments", true]]);
  });

  it("says nothing when there is nothing to say", () => {
    expect(open().takeFrames(nowMs)).toEqual([]);
  });

  it("makes frames that the control plane takes, however much comes, and says what it left out", () => {
    const hub = open();
    for (let i = 0; i < 100_000; i += 1) {
      const long = "ü".repeat(90) + (i % 500);
      hub.takeSpans(
        [
          makeSpan(i, {
            service: long,
            kind: 2,
            op: "x".repeat(200),
            startAt: nowMs - (i % 50) * 1_000,
            peer: { name: `${long}p`, kind: "address" },
          }),
        ],
        nowMs,
      );
      hub.takeLog(
        {
          service: "orders",
          level: "error",
          text: `${"w".repeat(150)} ${"z".repeat(i % 110)} ${"v ".repeat(i % 60)}`,
          at: nowMs,
          traceId: null,
          spanId: null,
        },
        nowMs,
      );
      hub.setGauge(null, `g${i}`, i, nowMs);
    }
    const frames = hub.takeFrames(nowMs);
    for (const frame of frames) {
      const text = JSON.stringify(frame);
      expect(Buffer.byteLength(text)).toBeLessThan(limits.maxFrameBytes);
      const decoded = decodeAgentFrame(text);
      expect(decoded.ok ? "" : decoded.reason).toBe("");
    }
    expect(frames[0]?.dropped.services).toBeGreaterThan(0);
  });

  const long = (i: number) => `${i} ${"名".repeat(190)}`;
  const readAll = (hub: TelemetryHub) => {
    const frames = hub.takeFrames(nowMs);
    for (const frame of frames) {
      const text = JSON.stringify(frame);
      expect(Buffer.byteLength(text)).toBeLessThan(limits.maxFrameBytes);
      expect(decodeAgentFrame(text)).toMatchObject({ ok: true, refused: [] });
    }
    return frames;
  };

  it("keeps a thousand spans of long names within a frame by keeping fewer whole traces, and says at which level", () => {
    const hub = open([], 1_000);
    const tracesOf = (i: number) => makeSpan(Math.floor(i / 4)).traceId;
    hub.takeSpans(
      Array.from({ length: 1_000 }, (_, i) => makeSpan(i, { op: long(i), traceId: tracesOf(i) })),
      nowMs,
    );
    const frames = readAll(hub);
    const { spans } = frames.at(-1) as (typeof frames)[number];
    expect(spans.level).toBeGreaterThan(0);
    expect(spans.trace.length).toBeGreaterThan(100);
    expect(spans.trace.length).toBe(4 * spans.traces.length);
    const counted = frames.flatMap(({ buckets }) => buckets.flatMap(({ requests }) => requests));
    expect(counted.reduce((sum, { count }) => sum + count, 0)).toBe(1_000);
  });

  it("says how many spans it left out of a single trace that no frame takes", () => {
    const hub = open([], 1_000);
    const traceId = `${"a".repeat(16)}${"0".repeat(15)}1`;
    const spans = Array.from({ length: 1_200 }, (_, i) =>
      makeSpan(i, { op: long(i), traceId: traceId.replace(/1$/, "0") }),
    );
    hub.takeSpans(spans, nowMs);
    const frames = readAll(hub);
    const kept = frames.at(-1)?.spans.trace.length ?? 0;
    expect(kept).toBeGreaterThan(100);
    expect(frames[0]?.dropped.spans).toBe(1_200 - kept);
  });

  it("splits what is long in bytes, and loses nothing of it", () => {
    const names = Array.from({ length: 64 }, (_, i) => `${"名".repeat(97)}${i}`);
    const hub = open(names.map((name) => ({ name, dependsOn: names })));
    for (const [i, service] of names.entries()) {
      const peer = (to: number) => ({ name: `${"址".repeat(97)}${i % 4}${to}`, kind: "address" }) as const;
      hub.takeSpans(
        [...Array(4)].map((_, to) => makeSpan(i, { service, kind: 2, peer: peer(to) })),
        nowMs,
      );
      for (let gauge = 0; gauge < 8; gauge += 1) hub.setGauge(service, `gauge${gauge}`, gauge, nowMs);
      for (let log = 0; log < 3; log += 1) {
        const text = `${"日".repeat(i + 1)} ${"志".repeat(log + 400)}`;
        hub.takeLog({ service, level: "error", text, at: nowMs, traceId: null, spanId: null }, nowMs);
      }
    }
    const frames = readAll(hub);
    expect(frames.length).toBeGreaterThan(3);
    expect(frames.flatMap(({ services }) => services.map(({ name }) => name))).toEqual(names);
    expect(frames.flatMap(({ gauges }) => gauges).length).toBe(512);
    const calls = frames.flatMap(({ buckets }) => buckets.flatMap((bucket) => bucket.calls));
    expect(calls.reduce((sum, { count }) => sum + count, 0)).toBe(256);
    const logs = frames.flatMap((frame) => frame.logs).reduce((sum, { count }) => sum + count, 0);
    expect(logs + (frames[0]?.dropped.logs ?? 0)).toBe(192);
  });

  it("sends no more at once than the control plane takes in a burst, and says what it left out", () => {
    const hub = open();
    const total = 60 * 256;
    for (let i = 0; i < total; i += 1) {
      const peer = { name: `${"址".repeat(90)}${i % 256}`, kind: "address" } as const;
      const startAt = nowMs - Math.floor(i / 256) * 1_000 - 10;
      hub.takeSpans([makeSpan(i, { service: "名".repeat(99), kind: 2, peer, startAt })], nowMs);
    }
    const frames = readAll(hub);
    expect(frames.length).toBeLessThanOrEqual(16);
    const calls = frames.flatMap(({ buckets }) => buckets.flatMap((bucket) => bucket.calls));
    const left = hub.takeFrames(nowMs)[0]?.dropped.calls ?? 0;
    expect(left).toBeGreaterThan(0);
    expect(calls.reduce((sum, { count }) => sum + count, 0) + left).toBe(total);
  });

  it("tells connections when they change, once a minute while they don't, and anew to whoever is there after an absence", () => {
    const hub = open();
    const report = (port: number) => ({
      scope: "h",
      addresses: [],
      listens: [{ service: "orders", kind: "service" as const, address: "*", port }],
      calls: [],
    });
    const told = (atS: number) =>
      hub.takeFrames(nowMs + atS * 1_000).map(({ connections }) => connections?.listens[0]?.port);
    expect(told(0)).toEqual([]);
    hub.setConnections(report(80));
    expect(told(1)).toEqual([80]);
    hub.setConnections(report(80));
    expect(told(11)).toEqual([]);
    hub.setConnections(report(81));
    expect(told(12)).toEqual([81]);
    expect(told(71)).toEqual([]);
    expect(told(72)).toEqual([81]);
    hub.forgetOld(nowMs + 73_000);
    expect(told(74)).toEqual([81]);
    hub.setConnections(null);
    expect(told(200)).toEqual([]);
  });

  it("stays small while there is no connection", () => {
    const hub = open();
    for (let second = 0; second < 300; second += 1) {
      const atMs = nowMs + second * 1_000;
      hub.takeSpans([makeSpan(second, { startAt: atMs })], atMs);
      hub.forgetOld(atMs);
    }
    const buckets = hub.takeFrames(nowMs + 300_000).flatMap((frame) => frame.buckets);
    expect(buckets.length).toBeLessThanOrEqual(61);
  });
});

describe("sampling", () => {
  it("keeps the same traces on two agents, those of the busier one among those of the other", () => {
    const busy = new SpanSample(50);
    const quiet = new SpanSample(1_000);
    for (let i = 0; i < 4_000; i += 1) busy.add(makeSpan(i));
    for (let i = 0; i < 900; i += 1) quiet.add(makeSpan(i));
    const few = new Set(busy.take(nowMs).traces.filter((id) => makeIds(900).has(id)));
    const many = new Set(quiet.take(nowMs).traces);
    expect(few.size).toBeGreaterThan(10);
    for (const id of few) expect(many.has(id)).toBe(true);
  });

  it("follows the load: strict within seconds, lax again only after a calm", () => {
    const sample = new SpanSample(100);
    const second = (count: number) => {
      for (let i = 0; i < count; i += 1) sample.add(makeSpan(i));
      return sample.take(nowMs).trace.length;
    };
    for (let i = 0; i < 3; i += 1) second(1_600);
    expect(second(1_600)).toBeLessThanOrEqual(250);
    const strict = sample.level;
    second(10);
    expect(sample.level).toBe(strict);
    for (let i = 0; i < 100; i += 1) second(10);
    expect(sample.level).toBe(0);
  });
});

function makeIds(count: number): Set<string> {
  return new Set(Array.from({ length: count }, (_, i) => makeSpan(i).traceId));
}
