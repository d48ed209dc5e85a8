import { request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, SimpleSpanProcessor, type SpanExporter } from "@opentelemetry/sdk-trace-base";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ErrorTrace } from "../../server/protocol/index.ts";
import type { AppLog, AppSpan } from "../telemetry/span.ts";
import { logRequest, traceRequest } from "./messages.ts";
import { decodeProtobuf, encodeProtobuf, ProtobufError } from "./protobuf.ts";
import { readLogs } from "./read-logs.ts";
import { readMetrics } from "./read-metrics.ts";
import { readSpans } from "./read-spans.ts";
import { startOtlpReceiver } from "./receiver.ts";

const maxPerSecond = 10;
let url: string;
let close: () => void;
let spans: AppSpan[];
let errors: ErrorTrace[];
let logs: AppLog[];
let gauges: object[];
let refused: number;
let bad: string[];

beforeEach(async () => {
  spans = [];
  errors = [];
  logs = [];
  gauges = [];
  refused = 0;
  bad = [];
  const server = await startOtlpReceiver({
    host: "127.0.0.1",
    port: 0,
    limits: { maxPerSecond, maxPerRequest: 50 },
    takeTraces(request, most) {
      const read = readSpans(request, new Map([["10.0.0.9:5432", "orders-db"]]), most);
      spans.push(...read.spans);
      errors.push(...read.errors);
      return { accepted: read.spans.length, rejected: read.rejected, reason: read.reason };
    },
    takeLogs(request, most) {
      const read = readLogs(request, most, 1_000);
      logs.push(...read.logs);
      errors.push(...read.errors);
      return { accepted: read.logs.length, rejected: read.rejected, reason: read.reason };
    },
    takeMetrics(request, most) {
      const read = readMetrics(request, most);
      gauges.push(...read.gauges);
      return { accepted: read.accepted, rejected: read.rejected, reason: read.reason };
    },
    onRefused: (_kind, count) => {
      refused += count;
    },
    onBadPayload: (reason) => bad.push(reason),
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = () => {
    server.close();
    server.closeAllConnections();
  };
});
afterEach(() => close());

const json = { "content-type": "application/json" };
const post = (path: string, body: string | Buffer, headers: Record<string, string> = json) =>
  fetch(`${url}${path}`, { method: "POST", body: body as BodyInit, headers });

const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });

function makeSpan(over: object = {}) {
  const startTimeUnixNano = "1700000000000000000";
  const endTimeUnixNano = "1700000000012000000";
  return {
    traceId: "a".repeat(32),
    spanId: "b".repeat(16),
    name: "GET /",
    kind: 2,
    startTimeUnixNano,
    endTimeUnixNano,
    ...over,
  };
}

function makeRequest(list: readonly object[], service = "orders") {
  const resource = { attributes: [attribute("service.name", service), attribute("telemetry.sdk.language", "nodejs")] };
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: list }] }] });
}

describe("the OTLP receiver", () => {
  it.each([
    ["JSON", (to: string): SpanExporter => new JsonExporter({ url: to })],
    ["protobuf", (to: string): SpanExporter => new ProtobufExporter({ url: to })],
    [
      "protobuf and gzip",
      (to: string): SpanExporter => new ProtobufExporter({ url: to, compression: "gzip" as never }),
    ],
  ])("takes what OpenTelemetry's own exporter sends as %s", async (_title, makeExporter) => {
    const provider = new BasicTracerProvider({
      resource: resourceFromAttributes({
        "service.name": "orders",
        "service.version": "1.2.3",
        "telemetry.sdk.language": "nodejs",
      }),
      spanProcessors: [new SimpleSpanProcessor(makeExporter(`${url}/v1/traces`))],
    });
    const span = provider.getTracer("t").startSpan("SELECT orders", {
      kind: SpanKind.CLIENT,
      attributes: {
        "db.system.name": "postgresql",
        "server.address": "10.0.0.9",
        "server.port": 5432,
        list: ["a", "b"],
      },
    });
    span.recordException(new TypeError("no such row"));
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
    await provider.forceFlush();
    await provider.shutdown();
    const { traceId, spanId } = span.spanContext();
    expect(spans).toMatchObject([
      {
        traceId,
        id: spanId,
        parent: "",
        service: "orders",
        version: "1.2.3",
        op: "SELECT orders",
        kind: 2,
        failed: true,
      },
    ]);
    expect(spans[0]?.peer).toEqual({ name: "orders-db", kind: "database" });
    expect(Math.abs((spans[0]?.startAt ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(errors).toMatchObject([
      { service: "orders", language: "javascript", type: "TypeError", message: "no such row", traceId, count: 1 },
    ]);
    expect(errors[0]?.frames[0]?.file).toContain("receiver.test.ts");
    expect(bad).toEqual([]);
  });

  it("refuses a span whose times were not given in nanoseconds", async () => {
    const inMs = makeSpan({ startTimeUnixNano: "1700000000000", endTimeUnixNano: "1700000000012" });
    const answer = await post("/v1/traces", makeRequest([inMs]));
    expect(await answer.json()).toEqual({
      partialSuccess: {
        rejectedSpans: "1",
        errorMessage: "a span's times are decades from now: give nanoseconds since 1970",
      },
    });
  });

  it("says how many of a request it refused, and takes the others", async () => {
    const good = makeSpan();
    const response = await post(
      "/v1/traces",
      makeRequest([good, makeSpan({ traceId: "0".repeat(32) }), makeSpan({ endTimeUnixNano: "1" })]),
    );
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      partialSuccess: { rejectedSpans: "2", errorMessage: "a span has no valid traceId and spanId" },
    });
    expect([spans.length, refused]).toEqual([1, 2]);
    expect(await (await post("/v1/traces", makeRequest([good]))).json()).toEqual({});
  });

  it("answers protobuf with protobuf", async () => {
    const response = await post(
      "/v1/traces",
      encodeProtobuf([[1, encodeProtobuf([[2, encodeProtobuf([[2, encodeProtobuf([[5, "x"]])]])]])]]),
      {
        "content-type": "application/x-protobuf",
      },
    );
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/x-protobuf"]);
    const answer = decodeProtobuf(
      Buffer.from(await response.arrayBuffer()),
      () => ({ 1: { name: "partial", kind: () => ({ 1: { name: "rejected", kind: "varint" } }) } }),
      { maxDepth: 4, maxValues: 10 },
    );
    expect(answer).toEqual({ partial: { rejected: 1 } });
  });

  it("refuses more than the rate, so that exporters try again later", async () => {
    const many = makeRequest(
      Array.from({ length: 50 }, (_, i) => makeSpan({ spanId: (i + 1).toString(16).padStart(16, "0") })),
    );
    const answers: number[] = [];
    for (let i = 0; i < 4; i += 1) answers.push((await post("/v1/traces", many)).status);
    expect([answers[0], answers[3]]).toEqual([200, 429]);
    expect(spans.length).toBe(50 * answers.filter((status) => status === 200).length);
  });

  it("takes log records: exceptions as errors, other lines by their level", async () => {
    const resource = { attributes: [attribute("service.name", "pay")] };
    const logRecords = [
      {
        body: { stringValue: "card 4711 refused" },
        severityNumber: 17,
        traceId: "a".repeat(32),
        spanId: "b".repeat(16),
        timeUnixNano: 1.7e18,
      },
      {
        body: { stringValue: "boom" },
        attributes: [attribute("exception.type", "java.io.IOException"), attribute("exception.message", "gone")],
      },
      { body: { kvlistValue: {} } },
    ];
    const response = await post(
      "/v1/logs",
      JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] }),
    );
    expect(response.status).toBe(200);
    expect(logs).toMatchObject([
      { service: "pay", level: "error", text: "card 4711 refused", at: 1.7e12, traceId: "a".repeat(32) },
    ]);
    expect(errors).toMatchObject([{ service: "pay", type: "java.io.IOException", message: "gone" }]);
  });
});

describe("metrics", () => {
  const resource = { attributes: [attribute("service.name", "pay")] };
  const wanted = [
    { service: "pay", name: "cpuPercent", value: 30 },
    { service: "pay", name: "db.pool.in_use", value: -7 },
  ];

  it("are gauges by the names that are used here; counters are passed over", async () => {
    const metrics = [
      { name: "process.cpu.utilization", unit: "1", gauge: { dataPoints: [{ asDouble: 0.2 }, { asDouble: 0.4 }] } },
      { name: "db.pool.in_use", unit: "{c}", sum: { dataPoints: [{ asInt: "-3" }, { asInt: "-4" }] } },
      { name: "http.requests", sum: { isMonotonic: true, dataPoints: [{ asInt: "9" }] } },
      { name: "no good name", gauge: { dataPoints: [{ asInt: 1 }] } },
    ];
    const response = await post(
      "/v1/metrics",
      JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] }),
    );
    expect(await response.json()).toMatchObject({ partialSuccess: { rejectedDataPoints: "1" } });
    expect(gauges.map((gauge) => ({ ...gauge, value: Math.round((gauge as { value: number }).value) }))).toEqual(
      wanted,
    );
  });

  it("come as protobuf, too", async () => {
    const value = Buffer.alloc(9, 6 * 8 + 1);
    value.writeBigInt64LE(-7n, 1);
    const pool = encodeProtobuf([
      [1, "db.pool.in_use"],
      [7, encodeProtobuf([[1, value]])],
    ]);
    const service = encodeProtobuf([
      [
        1,
        encodeProtobuf([
          [1, "service.name"],
          [2, encodeProtobuf([[1, "pay"]])],
        ]),
      ],
    ]);
    const body = encodeProtobuf([
      [
        1,
        encodeProtobuf([
          [1, service],
          [2, encodeProtobuf([[2, pool]])],
        ]),
      ],
    ]);
    const response = await post("/v1/metrics", body, { "content-type": "application/x-protobuf" });
    expect([response.status, gauges]).toEqual([200, [wanted[1]]]);
  });
});

describe("a hostile payload is refused with a reason:", () => {
  const deep = (n: number) => "[".repeat(n) + "]".repeat(n);
  const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024));
  it.each<[string, string | Buffer, Record<string, string>, number, RegExp]>([
    ["no JSON", "{", json, 400, /not valid JSON/],
    ["nested too deep", deep(5_000), json, 400, /nested more than 24 deep/],
    ["a zip bomb", bomb, { ...json, "content-encoding": "gzip" }, 413, /when unpacked/],
    ["broken gzip", "abc", { ...json, "content-encoding": "gzip" }, 400, /not valid gzip/],
    ["an unknown encoding", "{}", { ...json, "content-encoding": "br" }, 415, /gzip/],
    ["another type", "{}", { "content-type": "text/plain" }, 415, /x-protobuf/],
    ["a web page", "{}", { ...json, origin: "https://evil.example" }, 403, /browsers/],
    [
      "torn protobuf",
      Buffer.from([10, 200, 1, 1]),
      { "content-type": "application/x-protobuf" },
      400,
      /longer than what holds it/,
    ],
  ])("%s", async (_title, body, headers, status, reason) => {
    const response = await post("/v1/traces", body, headers);
    expect(response.status).toBe(status);
    expect(await response.text()).toMatch(reason);
    expect(spans).toEqual([]);
  });

  it("too large a body, before all of it was sent", async () => {
    const status = await new Promise((resolve, reject) => {
      const sending = httpRequest(`${url}/v1/traces`, { method: "POST", headers: json }, (response) =>
        resolve(response.statusCode),
      );
      sending.on("error", reject);
      const chunk = Buffer.alloc(1024 * 1024, 0x20);
      for (let i = 0; i < 17; i += 1) sending.write(chunk);
    });
    expect(status).toBe(413);
  });

  it("another path or verb", async () => {
    expect((await post("/v1/profiles", "{}")).status).toBe(404);
    expect((await post("/constructor", "{}")).status).toBe(404);
    expect((await fetch(`${url}/v1/traces`)).status).toBe(405);
  });

  it("texts are cleaned: no control characters, no endless names", async () => {
    const event = { name: "exception", attributes: [attribute("exception.type", `E\u0000\u202e${"x".repeat(9_999)}`)] };
    await post(
      "/v1/traces",
      makeRequest([makeSpan({ name: `a\n\u001b[31m${"y".repeat(9_999)}`, events: [event] })], "__proto__"),
    );
    expect(spans[0]?.service).toBe("__proto__");
    expect(spans[0]?.op).toMatch(/^a \[31my{190,}$/);
    expect(errors[0]?.type).toMatch(/^Ex{199}$/);
  });

  it("random bytes and random JSON never end the receiver", async () => {
    const protobufLimits = { maxDepth: 24, maxValues: 1_000 };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        for (const shape of [traceRequest, logRequest]) {
          try {
            const values = decodeProtobuf(Buffer.from(bytes), shape, protobufLimits);
            readSpans(values, new Map(), 10);
            readLogs(values, 10, 0);
          } catch (error) {
            expect(error).toBeInstanceOf(ProtobufError);
          }
        }
      }),
      { seed: 1, numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (group, span) => {
        const request = {
          resourceSpans: [
            group,
            {
              resource: group,
              scopeSpans: [group, { spans: [span, { ...makeSpan(), attributes: group, events: [span] }] }],
            },
          ],
        };
        expect(readSpans(request, new Map(), 10).rejected).toBeGreaterThanOrEqual(0);
        readLogs({ resourceLogs: [group, { scopeLogs: [{ logRecords: [span, { body: group }] }] }] }, 10, 0);
      }),
      { seed: 1, numRuns: 500 },
    );
    expect((await post("/v1/traces", makeRequest([makeSpan()]))).status).toBe(200);
  });
});
