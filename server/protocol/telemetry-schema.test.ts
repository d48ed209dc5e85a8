import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeCalls, makeRequests, makeSpans, makeTelemetry } from "../testing/telemetry.ts";
import { decodeAgentFrame } from "./decode-frame.ts";
import { bucketEndMs, durationBucket, durationBuckets, histogramQuantileMs } from "./duration-histogram.ts";
import { limits } from "./limits.ts";
import { emptySpans, type TelemetryFrame } from "./telemetry-frame.ts";
import { traceLevel } from "./trace-level.ts";

const decode = (frame: unknown) => decodeAgentFrame(JSON.stringify(frame));
const span = { trace: "1", id: "1", service: "orders", kind: 1, startUs: -5_000, durationUs: 4_000 };

describe("a telemetry frame", () => {
  it("is read as it was sent", () => {
    const frame = makeTelemetry({
      services: [{ name: "orders", version: "1.2.0", dependsOn: ["payments"], declared: true }],
      gauges: [{ service: "orders", name: "cpuPercent", value: 12.5 }],
      buckets: [
        {
          second: 1_700_000_000,
          requests: [makeRequests("orders", 3, 12)],
          calls: [makeCalls("orders", "10.0.0.1:80", "address", 3, 8)],
        },
      ],
      spans: makeSpans([span, { ...span, id: "2", parent: "1", peer: { name: "pay", kind: "service" } }]),
      logs: [
        {
          service: "orders",
          level: "error",
          key: "card <*> refused",
          text: "card <*> refused",
          count: 2,
          example: "card 7 refused",
          traceId: null,
          events: [{ traceId: "a".repeat(32), spanId: "b".repeat(16), at: 1_700_000_000_100 }],
        },
      ],
    });
    expect(decode(frame)).toEqual({ ok: true, frame, refused: [] });
  });

  it("has its names put on one line, freed of acting characters and cut", () => {
    const name = `or\u202eders\n${"x".repeat(500)}`;
    const decoded = decode(makeTelemetry({ services: [{ name, version: null, dependsOn: [], declared: false }] }));
    const seen = decoded.ok ? (decoded.frame as TelemetryFrame).services[0]?.name : undefined;
    expect(seen).toBe(`orders ${"x".repeat(limits.maxServiceNameLength - 7)}`);
  });

  const spans = makeSpans([span]);
  it.each<[string, Partial<Record<keyof TelemetryFrame, unknown>>, string]>([
    [
      "a nameless service",
      { services: [{ name: "\u0000 ", version: null, dependsOn: [], declared: true }] },
      "service name too-small",
    ],
    [
      "too many services",
      { services: Array(65).fill({ name: "a", version: null, dependsOn: [], declared: true }) },
      "service  too-large",
    ],
    ["columns of different lengths", { spans: { ...spans, kind: [] } }, "spans  invalid"],
    ["an index that points nowhere", { spans: { ...spans, op: [7] } }, "spans  invalid"],
    ["an id that is none", { spans: { ...spans, id: ["xyz"] } }, "spans id bad-format"],
    ["a negative duration", { spans: { ...spans, durationUs: [-1] } }, "spans durationUs too-small"],
    ["a bucket of the histogram that does not exist", bucketWith([durationBuckets, 1]), "requests histogram invalid"],
    ["half a pair in the histogram", bucketWith([3]), "requests histogram invalid"],
    ["a number that is none", { gauges: [{ service: null, name: "a", value: null }] }, "gauge value wrong-type"],
    ["a gauge's name of a sentence", { gauges: [{ service: null, name: "a b", value: 1 }] }, "gauge name bad-format"],
    [
      "connections that lead nowhere",
      { connections: { scope: "h", addresses: ["?"], listens: [], calls: [] } },
      "connections addresses bad-format",
    ],
    ["counts that are none", { dropped: 7 }, "dropped  wrong-type"],
  ])("goes on without %s, and says so", (_title, over, refused) => {
    const whole = makeTelemetry({ spans, buckets: [{ second: 1, requests: [], calls: [] }] });
    const decoded = decode({ ...whole, ...over });
    const said = decoded.ok ? decoded.refused.map(({ part, place, why }) => `${part} ${place} ${why}`) : [];
    expect(said[0]).toBe(refused);
    const emptied = Object.keys(over)[0] === "spans" ? { spans: emptySpans } : {};
    expect(decoded).toMatchObject({ ok: true, frame: { ...whole, ...emptied } });
  });

  it("is left out as a whole when nothing of it can be kept", () => {
    expect(decode({ ...makeTelemetry(), at: "now" })).toEqual({
      ok: true,
      frame: null,
      refused: [{ part: "telemetry", place: "at", why: "wrong-type" }],
    });
  });

  it("never makes the reader throw, whatever it holds", () => {
    const frame = makeTelemetry({ spans }) as unknown as Record<string, unknown>;
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(frame)), fc.jsonValue(), (key, value) => {
        expect(typeof decode({ ...frame, [key]: value }).ok).toBe("boolean");
      }),
      { seed: 1 },
    );
  });
});

function bucketWith(histogram: number[]) {
  return { buckets: [{ second: 1, requests: [{ ...makeRequests("a", 1, 1), histogram }], calls: [] }] };
}

describe("the histogram of durations", () => {
  it("puts every duration into the bucket that holds it", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 100_000, noNaN: true }), (ms) => {
        const bucket = durationBucket(ms);
        expect(ms).toBeLessThanOrEqual(bucketEndMs(bucket) * 1.000001);
        if (bucket > 0) expect(ms).toBeGreaterThan(bucketEndMs(bucket - 1) * 0.999999);
      }),
      { seed: 1 },
    );
  });

  it("knows a quantile within a tenth", () => {
    const counts = new Uint32Array(durationBuckets);
    for (let ms = 1; ms <= 1_000; ms += 1) counts[durationBucket(ms)]! += 1;
    expect(Math.abs((histogramQuantileMs(counts, 0.95) ?? 0) / 950 - 1)).toBeLessThan(0.1);
    expect(histogramQuantileMs(new Uint32Array(4), 0.5)).toBeNull();
  });
});

describe("the level of a trace", () => {
  it("keeps half as many at each level", () => {
    const ids = Array.from({ length: 4_096 }, (_, i) =>
      (((i * 2_654_435_761) % 2 ** 32) >>> 0).toString(16).padStart(32, "0"),
    );
    const share = (level: number) => ids.filter((id) => traceLevel(id) >= level).length / ids.length;
    expect(share(1)).toBeCloseTo(0.5, 1);
    expect(share(3)).toBeCloseTo(0.125, 1);
  });
});
