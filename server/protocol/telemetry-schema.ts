import * as z from "zod/mini";
import { cleanText } from "./clean-text.ts";
import { durationBuckets } from "./duration-histogram.ts";
import { limits } from "./limits.ts";

/** The shape of a telemetry frame. Names are cleaned and cut; numbers are finite and in range; columns have one length. */

const cleaned = (maxLength: number) =>
  z.pipe(
    z.string(),
    z.transform((value: string) => cleanText(value, maxLength).trim()),
  );
/** On one line: tables and keys are made of names. */
const named = (maxLength: number) =>
  z.pipe(
    z.pipe(
      cleaned(maxLength),
      z.transform((value: string) => value.replace(/\s+/g, " ")),
    ),
    z.string().check(z.minLength(1)),
  );
const serviceName = named(limits.maxServiceNameLength);
const count = z.int().check(z.gte(0), z.lte(1e9));
const ms = z.number().check(z.gte(0), z.lte(1e9));
const list = <T extends z.ZodMiniType>(schema: T, most: number) => z.array(schema).check(z.maxLength(most));
const peerKind = z.enum(["service", "database", "cache", "queue", "address"]);

const durations = {
  count,
  errors: count,
  durationSumMs: z.number().check(z.gte(0), z.lte(1e12)),
  durationMaxMs: ms,
  histogram: list(count, durationBuckets * 2).check(z.refine(isHistogram, "not pairs of bucket and count")),
};

function isHistogram(pairs: readonly number[]): boolean {
  return pairs.length % 2 === 0 && pairs.every((value, i) => i % 2 === 1 || value < durationBuckets);
}

const bucket = z.object({
  second: z.int().check(z.gte(0), z.lte(1e11)),
  requests: list(z.object({ service: serviceName, ...durations }), limits.maxServicesPerFrame),
  calls: list(z.object({ from: serviceName, to: serviceName, kind: peerKind, ...durations }), limits.maxCallsPerFrame),
});

const column = <T extends z.ZodMiniType>(schema: T) => list(schema, limits.maxSpansPerFrame);
const index = z.int().check(z.gte(-1), z.lte(limits.maxSpansPerFrame));
const span = z.int().check(z.gte(-1e15), z.lte(1e15));
const wallMs = z.number().check(z.gte(0), z.lte(1e14));
const traceId = z.string().check(z.regex(/^[0-9a-f]{32}$/));
const spanId = z.string().check(z.regex(/^[0-9a-f]{16}$/));

const spans = z
  .object({
    level: z.int().check(z.gte(0), z.lte(32)),
    services: column(serviceName),
    ops: column(cleaned(200)),
    peers: column(z.object({ name: serviceName, kind: peerKind })),
    traces: column(traceId),
    trace: column(index),
    service: column(index),
    op: column(index),
    peer: column(index),
    id: column(spanId),
    parent: column(z.string().check(z.regex(/^([0-9a-f]{16})?$/))),
    kind: column(z.int().check(z.gte(0), z.lte(4))),
    startUs: column(span),
    durationUs: column(span.check(z.gte(0))),
    error: column(z.int().check(z.gte(0), z.lte(1))),
  })
  .check(
    z.refine((value) => {
      const columns = [value.service, value.op, value.peer, value.id, value.parent, value.kind, value.startUs];
      return [...columns, value.durationUs, value.error].every((each) => each.length === value.trace.length);
    }, "columns of different lengths"),
    z.refine(
      (value) =>
        value.trace.every((each) => each >= 0 && each < value.traces.length) &&
        value.service.every((each) => each >= 0 && each < value.services.length) &&
        value.op.every((each) => each >= 0 && each < value.ops.length) &&
        value.peer.every((each) => each < value.peers.length),
      "an index points nowhere",
    ),
  );

const log = z.object({
  service: serviceName,
  level: z.enum(["debug", "info", "warn", "error", "fatal", "unknown"]),
  key: named(300),
  text: cleaned(300),
  count,
  example: cleaned(500),
  traceId: z.nullable(traceId),
  events: list(z.object({ traceId, spanId, at: wallMs }), limits.maxLogEventsPerTemplate),
});

const address = z.string().check(z.regex(/^(\*|[0-9a-f.:]{2,45})$/));
const port = z.int().check(z.gte(1), z.lte(65_535));
const ownerKind = z.enum(["service", "database", "cache"]);
const end = { service: serviceName, kind: ownerKind, address, port };
const connections = z.object({
  scope: z.string().check(z.regex(/^[A-Za-z0-9/:._-]{1,120}$/)),
  addresses: list(address, limits.maxAddressesPerFrame),
  listens: list(z.object(end), limits.maxConnectionsPerFrame),
  calls: list(
    z.object({ ...end, alias: z.nullable(serviceName), sockets: count.check(z.gte(1)) }),
    limits.maxConnectionsPerFrame,
  ),
});

export const telemetrySchema = z.object({
  t: z.literal("telemetry"),
  at: wallMs,
  services: list(
    z.object({
      name: serviceName,
      version: z.nullable(cleaned(100)),
      dependsOn: list(serviceName, 64),
      declared: z.boolean(),
    }),
    limits.maxServicesPerFrame,
  ),
  gauges: list(
    z.object({
      service: z.nullable(serviceName),
      name: z.string().check(z.regex(/^[A-Za-z][A-Za-z0-9_.:/-]{0,79}$/)),
      value: z.number().check(z.gte(-1e15), z.lte(1e15)),
    }),
    limits.maxGaugesPerFrame,
  ),
  buckets: list(bucket, limits.maxBucketsPerFrame),
  spans,
  logs: list(log, limits.maxLogsPerFrame),
  dropped: z.object({ spans: count, services: count, calls: count, logs: count, errors: count, payloads: count }),
  connections: z.optional(connections),
});
