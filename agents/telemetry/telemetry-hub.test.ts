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
