import * as z from "zod/mini";
import type { CommandOutcome } from "../core/index.ts";
import { cleanText } from "./clean-text.ts";
import { limits } from "./limits.ts";
import { telemetrySchema } from "./telemetry-schema.ts";

/** Shapes of what an agent may say. Objects lose unknown properties; texts are cleaned and cut; numbers are finite. */

export const nodeName = z.string().check(z.regex(/^[a-z0-9][a-z0-9-]{0,39}$/));
const text = z.pipe(
  z.string(),
  z.transform((value: string) => cleanText(value, limits.maxTextLength)),
);
const shortText = z.pipe(
  z.string(),
  z.transform((value: string) => cleanText(value, 200)),
);
const token = z.string().check(z.regex(/^[A-Za-z0-9_.:-]{1,128}$/));
const base64url = z.string().check(z.regex(/^[A-Za-z0-9_-]{1,128}$/));
const code = z.string().check(z.regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$/));
const key = z.string().check(z.regex(/^[A-Za-z0-9_.-]{1,64}$/));
const count = z.number().check(z.gte(0), z.lte(Number.MAX_SAFE_INTEGER));
const whole = z.int().check(z.gte(0));
const ms = z.number().check(z.gte(0), z.lte(1e13));
const orNull = <T extends z.ZodMiniType>(schema: T) => z.nullable(schema);
const scalar = z.union([text, z.number(), z.boolean(), z.null()]);
const data = z.record(key, scalar).check(z.refine((value) => Object.keys(value).length <= 32, "too many values"));
const labels = z.record(key, shortText).check(z.refine((value) => Object.keys(value).length <= 32, "too many labels"));
const lsn = count;

const configuration = z.object({
  epoch: whole,
  version: whole,
  k: whole,
  members: z.array(nodeName).check(z.maxLength(limits.maxSyncMembers)),
  lease: z.optional(z.object({ durationMs: ms, maxLagBytes: count })),
});
const configurations = z.array(configuration).check(z.maxLength(64));

const probe = z.object({ ok: z.boolean(), ms: orNull(ms), failingForMs: ms, reason: orNull(shortText) });
const response = z.object({ meanMs: ms, samples: whole, windowMs: ms });

const replicationRow = z.object({
  applicationName: shortText,
  node: orNull(nodeName),
  state: shortText,
  syncState: z.enum(["sync", "quorum", "potential", "async"]),
  sentLsn: orNull(lsn),
  writeLsn: orNull(lsn),
  flushLsn: orNull(lsn),
  replayLsn: orNull(lsn),
  replayLagMs: orNull(ms),
});

const receiver = z.object({
  status: z.enum(["streaming", "starting", "none"]),
  senderHost: orNull(shortText),
  senderPort: orNull(whole),
  receivedLsn: orNull(lsn),
  advancedAgoMs: orNull(ms),
});

const exit = z.object({
  pid: whole,
  code: orNull(z.int()),
  signal: orNull(shortText),
  reaped: z.boolean(),
  agoMs: ms,
});

const promise = z.object({ epoch: whole, intentId: shortText, step: whole, configVersion: whole });

const host = z.string().check(z.regex(/^[A-Za-z0-9_.:[\]/-]{1,253}$/));
const port = z.int().check(z.gte(1), z.lte(65_535));

const inDoubt = z.object({
  gid: shortText,
  database: shortText,
  owner: shortText,
  ageMs: ms,
  xidAge: orNull(whole),
  relations: z.array(shortText).check(z.maxLength(10)),
  lockCount: whole,
  waiting: whole,
  longestWaitMs: orNull(ms),
});

const postgres = z.object({
  cluster: nodeName,
  host,
  port,
  state: z.enum(["running", "hung", "starting", "stopped", "rejoining", "empty"]),
  role: orNull(z.enum(["primary", "standby"])),
  systemId: orNull(shortText),
  version: orNull(shortText),
  timeline: orNull(whole),
  lsn: orNull(lsn),
  replayLsn: orNull(lsn),
  replayPaused: z.boolean(),
  replayLagMs: orNull(ms),
  receiver: orNull(receiver),
  replication: z.array(replicationRow).check(z.maxLength(64)),
  synchronousStandbyNames: orNull(text),
  probe,
  syncProbe: orNull(probe),
  exit: orNull(exit),
  promise: orNull(promise),
  configurations,
  promoteIssuedEpoch: orNull(whole),
  connections: orNull(whole),
  preparedTransactions: orNull(whole),
  longestTransactionMs: orNull(ms),
  inDoubt: z.optional(z.array(inDoubt).check(z.maxLength(limits.maxInDoubt))),
  response: orNull(response),
  canRewind: z.boolean(),
  initialize: z.boolean(),
  lease: z.optional(z.object({ epoch: whole, ask: count, leftMs: ms })),
  watchdog: z.optional(z.boolean()),
});

const slot = z.int().check(z.gte(0), z.lte(16_383));
const slotRange = z.pipe(
  z.tuple([slot, slot]),
  z.transform((range): readonly [number, number] => range),
);
const redisId = z.string().check(z.regex(/^[0-9a-f]{40}$/));
const redisLink = z.object({
  host,
  port,
  status: z.enum(["up", "down", "syncing"]),
  ioAgoMs: orNull(ms),
  syncProgress: orNull(z.number().check(z.gte(0), z.lte(1))),
});
const redisShard = z.object({
  id: redisId,
  masterId: orNull(redisId),
  state: z.enum(["ok", "fail"]),
  currentEpoch: whole,
  configEpoch: whole,
  slots: z.array(slotRange).check(z.maxLength(limits.maxSlotRanges)),
  slotCount: whole,
  slotsServed: whole,
  migrating: z.array(z.object({ slot, to: redisId })).check(z.maxLength(64)),
  importing: z.array(z.object({ slot, from: redisId })).check(z.maxLength(64)),
  neighbours: z
    .array(
      z.object({
        id: redisId,
        host: shortText,
        port: whole,
        role: z.enum(["master", "replica"]),
        masterId: orNull(redisId),
        health: z.enum(["ok", "suspected", "failed"]),
        linked: z.boolean(),
      }),
    )
    .check(z.maxLength(limits.maxRedisNodes)),
});
const earlierHistory = z.object({ replicationId: shortText, end: count });
const redis = z.object({
  cluster: nodeName,
  instance: nodeName,
  mode: z.enum(["replica-set", "cluster"]),
  host,
  port,
  state: z.enum(["running", "hung", "starting", "stopped"]),
  role: orNull(z.enum(["master", "replica"])),
  version: orNull(shortText),
  runId: orNull(shortText),
  replicationId: orNull(shortText),
  earlier: z.optional(orNull(earlierHistory)),
  offset: orNull(count),
  link: orNull(redisLink),
  replicas: z
    .array(z.object({ host: shortText, port: whole, online: z.boolean(), offset: count, lagMs: ms }))
    .check(z.maxLength(limits.maxPeers)),
  probe,
  masterProbe: orNull(z.object({ ...probe.shape, host, port })),
  exit: orNull(exit),
  promise: orNull(promise),
  promoteIssuedEpoch: orNull(whole),
  standing: shortText,
  held: z.boolean(),
  minReplicas: orNull(whole),
  persistent: z.boolean(),
  keys: orNull(count),
  memoryBytes: orNull(count),
  maxMemoryBytes: orNull(count),
  clients: orNull(count),
  commandsPerSecond: orNull(count),
  shard: orNull(redisShard),
});

const peerSight = z.object({
  node: nodeName,
  cluster: orNull(nodeName),
  reach: z.enum(["ok", "failed", "unknown"]),
  reason: orNull(z.enum(["accepted-silent", "timeout", "refused", "closed", "error"])),
  failingForMs: ms,
  responseMs: orNull(ms),
  response: orNull(response),
});

const hostMetrics = z.object({
  cpu: count,
  load1: count,
  cores: count,
  memoryUsedBytes: count,
  memoryTotalBytes: count,
  diskUsedBytes: count,
  diskTotalBytes: count,
  networkRxBytesPerSecond: count,
  networkTxBytesPerSecond: count,
});

const check = z.object({
  name: shortText,
  kind: z.enum(["tcp", "http", "sql", "process", "file"]),
  subject: nodeName,
  ok: z.boolean(),
  ms: orNull(ms),
  detail: text,
  failingForMs: ms,
});

const workload = z.object({
  name: shortText,
  cluster: nodeName,
  writesPerSecond: count,
  latencyMeanMs: orNull(ms),
  latencyP95Ms: orNull(ms),
  acknowledged: count,
  failed: count,
  lost: orNull(count),
  auditedAt: orNull(ms),
  lastAcknowledgedAt: orNull(ms),
  unavailableForMs: ms,
  lastOutage: orNull(z.object({ fromMs: ms, toMs: ms })),
  writingTo: orNull(nodeName),
});

const program = z.object({
  name: nodeName,
  version: orNull(shortText),
  releases: z.array(shortText).check(z.maxLength(50)),
  state: z.enum(["running", "starting", "stopped", "failed"]),
  pid: orNull(whole),
  healthy: orNull(z.boolean()),
  health: shortText,
  since: orNull(ms),
  crashes: whole,
  errors: whole,
  errorsBefore: whole,
  files: z.array(z.object({ name: shortText, version: orNull(shortText) })).check(z.maxLength(16)),
  change: orNull(
    z.object({
      id: token,
      state: z.enum([
        "none",
        "prepared",
        "pre-committed",
        "pre-aborted",
        "committed",
        "aborted",
        "done",
        "undone",
        "tried",
        "confirmed",
        "cancelled",
        "expired",
      ]),
      since: ms,
    }),
  ),
});

const heartbeat = z.object({
  t: z.literal("heartbeat"),
  seq: whole,
  bootId: token,
  monoMs: ms,
  wallMs: z.number(),
  eager: z.boolean(),
  loopLagMs: ms,
  host: orNull(hostMetrics),
  postgres: orNull(postgres),
  redis: z.optional(z.array(redis).check(z.maxLength(limits.maxRedisServers))),
  peers: z.array(peerSight).check(z.maxLength(limits.maxPeers)),
  checks: z.array(check).check(z.maxLength(limits.maxChecks)),
  workloads: z.array(workload).check(z.maxLength(16)),
  programs: z.optional(z.array(program).check(z.maxLength(limits.maxPrograms))),
  fences: z.optional(z.array(nodeName).check(z.maxLength(limits.maxPeers))),
});

const trace = z.object({
  service: shortText,
  language: z.enum(["javascript", "python", "java", "go", "postgres", "other"]),
  type: shortText,
  message: text,
  frames: z
    .array(z.object({ function: shortText, file: shortText, line: orNull(z.int()) }))
    .check(z.maxLength(limits.maxStackFrames)),
  traceId: orNull(shortText),
  count: z.int().check(z.gte(1), z.lte(1e9)),
});

const record = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("trace"), at: z.number(), trace }),
  z.object({ kind: z.literal("signal"), at: z.number(), code, data }),
]);

/** `decodeAgentFrame` leaves nothing where a record was refused. */
const recordOrRefused = z.pipe(
  z.optional(record),
  z.transform((value) => value ?? null),
);

const position = orNull(z.int().check(z.gte(0)));

/**
 * What a verb answers with (`SealReply`, `PromoteReply`, `RejoinReply`, …): the properties that decisions read have their shape, every
 * other one is a plain value. Required ones are left to the reader: unknown is not zero.
 */
const reply = z
  .catchall(
    z.object({
      timeline: z.optional(position),
      lsn: z.optional(position),
      switchLsn: z.optional(position),
      flushLsn: z.optional(position),
      promoted: z.optional(z.boolean()),
      earlier: z.optional(orNull(earlierHistory)),
      configurations: z.optional(z.array(z.strictObject(configuration.shape)).check(z.maxLength(64))),
    }),
    scalar,
  )
  .check(
    z.refine((value) => Object.keys(value).length <= 32, "too many values"),
    z.refine((value) => Object.keys(value).every((name) => /^[A-Za-z0-9_.-]{1,64}$/.test(name)), "bad name"),
  );

const outcome = z.pipe(
  z.discriminatedUnion("status", [
    z.object({ status: z.literal("done"), data: z.record(z.string(), z.unknown()) }),
    z.object({ status: z.literal("refused"), code, detail: text }),
    z.object({ status: z.literal("failed"), code, detail: text }),
  ]),
  z.transform((value): CommandOutcome => (value.status === "done" ? readReply(value.data) : value)),
);

/** A command whose answer can't be read has failed: refusing the frame would only make the agent send it for ever. */
function readReply(value: Readonly<Record<string, unknown>>): CommandOutcome {
  const parsed = z.safeParse(reply, value);
  if (parsed.success) return { status: "done", data: parsed.data };
  const issue = parsed.error.issues[0];
  const place = cleanText(issue?.path.map(String).join(".") ?? "", 60);
  return {
    status: "failed",
    code: "malformed-reply",
    detail: `the agent's answer can't be read (${place === "" ? "data" : place}: ${(issue?.message ?? "invalid").slice(0, 60)})`,
  };
}

export const agentFrameSchema = z.discriminatedUnion("t", [
  heartbeat,
  telemetrySchema,
  z.object({
    t: z.literal("hello"),
    protocol: whole,
    version: shortText,
    node: nodeName,
    agentKey: base64url,
    nonce: base64url,
    bootId: token,
    wallMs: z.number(),
    enrolmentToken: z.optional(z.string().check(z.maxLength(200))),
    zone: shortText,
    labels,
    spoolId: z.optional(token),
  }),
  z.object({ t: z.literal("proof"), signature: base64url }),
  z.object({
    t: z.literal("records"),
    spoolId: token,
    firstSeq: z.int().check(z.gte(1)),
    skipped: z.optional(whole),
    records: z.array(recordOrRefused).check(z.maxLength(limits.maxRecordsPerFrame)),
  }),
  z.object({ t: z.literal("result"), commandId: token, outcome, nodeAt: z.number() }),
  z.object({ t: z.literal("progress"), commandId: token, progress: z.number().check(z.gte(0), z.lte(1)), data }),
]);
