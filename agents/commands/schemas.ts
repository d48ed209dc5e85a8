import * as z from "zod/mini";
import {
  type AnyVerb,
  type CommandOutcome,
  type Endpoint,
  type Grant,
  mostTimelines,
  type SyncConfiguration,
} from "../../server/core/index.ts";
import { limits } from "../../server/protocol/limits.ts";
import type { FenceRecord } from "../fence/promise.ts";
import { describeMistakes } from "../shared/schema-errors.ts";

/** Decoders of commands and of what is stored about them. Anything not described here is refused. */

const nodeId = z.string().check(z.regex(/^[a-z0-9-]{1,40}$/));
const text = z.string().check(z.minLength(1), z.maxLength(200));
const whole = z.int().check(z.gte(0));
const port = z.int().check(z.gte(1), z.lte(65_535));

export const grantSchema = z.strictObject({ epoch: whole, intentId: text, step: whole, configVersion: whole });

const configurationSchema = z.strictObject({
  epoch: whole,
  version: whole,
  k: whole,
  members: z.array(nodeId).check(z.maxLength(limits.maxSyncMembers)),
  lease: z.optional(z.strictObject({ durationMs: z.int().check(z.gte(1_000), z.lte(600_000)), maxLagBytes: whole })),
});

/** Host names and addresses only: they are written into connection strings. */
const endpointSchema = z.strictObject({
  node: nodeId,
  host: z.string().check(z.regex(/^[A-Za-z0-9._:-]{1,253}$/)),
  port,
});

const configurations = z.array(configurationSchema).check(z.maxLength(64));
const peers = z.array(endpointSchema).check(z.maxLength(limits.maxPeers));
const history = z
  .array(z.strictObject({ timeline: whole, switchLsn: z.nullable(z.int().check(z.gte(0))) }))
  .check(z.minLength(1), z.maxLength(mostTimelines));
const deadlineMs = z.number().check(z.gte(1), z.lte(600_000));
const slot = z.int().check(z.gte(0), z.lte(16_383));
const redisNode = z.strictObject({
  instance: nodeId,
  id: z.string().check(z.regex(/^[0-9a-f]{40}$/)),
  host: endpointSchema.shape.host,
  port,
});
const withPeers = z.strictObject({ configuration: configurationSchema, peers });

/** Arguments by verb. The Map is the dispatch: a verb that is not here does not exist. */
const argumentSchemas = new Map<string, z.ZodMiniType>([
  ["postgres.initialize", withPeers],
  ["postgres.adopt", withPeers],
  ["postgres.regrant", withPeers],
  ["postgres.learn", z.strictObject({ configurations })],
  ["postgres.seal", z.strictObject({})],
  ["postgres.promote", z.strictObject({ configuration: configurationSchema, peers, timeline: whole })],
  ["postgres.follow", z.strictObject({ primary: endpointSchema, configurations, history })],
  [
    "postgres.configure",
    z.strictObject({ configuration: configurationSchema, leaving: z.array(nodeId).check(z.maxLength(64)), peers }),
  ],
  ["postgres.verify", z.strictObject({ deadlineMs })],
  ["postgres.resolve", z.strictObject({ gid: text, database: text, decision: z.enum(["commit", "rollback"]) })],
  ["postgres.fence", z.strictObject({})],
  ["host.fence", z.strictObject({ node: nodeId })],
  ["postgres.demote", z.strictObject({ deadlineMs, way: z.enum(["quiesce", "shutdown"]) })],
  ["postgres.rejoin", z.strictObject({ primary: endpointSchema, mode: z.enum(["rewind", "clone"]), configurations })],
  [
    "postgres.restart",
    z.strictObject({ as: z.enum(["primary", "standby"]), configuration: configurationSchema, peers }),
  ],
  ["redis.grant", z.strictObject({ configuration: configurationSchema })],
  ["redis.seal", z.strictObject({})],
  ["redis.promote", z.strictObject({ configuration: configurationSchema })],
  ["redis.follow", z.strictObject({ primary: endpointSchema })],
  ["redis.fence", z.strictObject({})],
  ["redis.verify", z.strictObject({ deadlineMs, k: whole })],
  [
    "redis.move-slots",
    z.strictObject({
      source: redisNode,
      target: redisNode,
      others: z.array(redisNode).check(z.maxLength(limits.maxRedisNodes)),
      slots: z.array(z.tuple([slot, slot])).check(z.minLength(1), z.maxLength(1_024)),
      batchKeys: z.int().check(z.gte(1), z.lte(1_000)),
      maxSlotsPerSecond: z.nullable(z.number().check(z.positive(), z.lte(16_384))),
      keep: z.optional(z.enum(["source", "target"])),
    }),
  ],
  ["redis.stop-moving", z.strictObject({ instance: nodeId })],
  [
    "redis.cluster-replicate",
    z.strictObject({ instance: nodeId, master: z.string().check(z.regex(/^[0-9a-f]{40}$/)) }),
  ],
  ["redis.cluster-failover", z.strictObject({ instance: nodeId, mode: z.enum(["graceful", "force", "takeover"]) })],
]);

const token = z.string().check(z.regex(/^[A-Za-z0-9._-]{1,64}$/));
const stepKind = z.enum([
  "prepare",
  "pre-commit",
  "pre-abort",
  "query",
  "commit",
  "abort",
  "do",
  "undo",
  "try",
  "confirm",
  "cancel",
  "trial",
]);
const changeStep = { change: token, message: stepKind, ballot: whole };

argumentSchemas
  .set(
    "change.step",
    z.strictObject({
      ...changeStep,
      program: nodeId,
      item: z.discriminatedUnion("kind", [
        z.strictObject({ kind: z.literal("release"), version: token }),
        z.strictObject({
          kind: z.literal("config"),
          file: token,
          content: z.string().check(z.maxLength(limits.maxConfigBytes)),
        }),
        z.strictObject({ kind: z.literal("config-revert"), file: token, change: token }),
        z.strictObject({ kind: z.literal("restart") }),
      ]),
    }),
  )
  .set(
    "change.sql",
    z.strictObject({
      ...changeStep,
      gid: text,
      database: text,
      statements: z.array(z.string().check(z.minLength(1), z.maxLength(10_000))).check(z.maxLength(20)),
    }),
  );

export const verbNames: readonly string[] = [...argumentSchemas.keys()];

export type DecodedVerb =
  | { readonly ok: true; readonly verb: AnyVerb }
  | { readonly ok: false; readonly detail: string };

/** Decodes a verb's arguments. */
export function decodeVerb(name: string, args: unknown): DecodedVerb {
  const schema = argumentSchemas.get(name);
  if (schema === undefined) return { ok: false, detail: `there is no verb ${name}` };
  const parsed = z.safeParse(schema, args);
  if (!parsed.success) return { ok: false, detail: describeMistakes(parsed.error) };
  return { ok: true, verb: { verb: name, args: parsed.data } as AnyVerb };
}

export const commandOutcomeSchema: z.ZodMiniType<CommandOutcome> = z.discriminatedUnion("status", [
  z.object({ status: z.literal("done"), data: z.record(z.string(), z.unknown()) }),
  z.object({ status: z.literal("refused"), code: z.string(), detail: z.string() }),
  z.object({ status: z.literal("failed"), code: z.string(), detail: z.string() }),
]);

const standingSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("none") }),
  z.object({ kind: z.literal("primary"), configuration: configurationSchema }),
  z.object({ kind: z.literal("demoted"), configuration: z.nullable(configurationSchema) }),
  z.object({ kind: z.literal("standby"), primary: endpointSchema, fits: z.optional(z.boolean()) }),
  z.object({ kind: z.literal("sealed") }),
  z.object({ kind: z.literal("fenced") }),
  z.object({ kind: z.literal("rejoining") }),
]);

export const fenceRecordSchema: z.ZodMiniType<FenceRecord> = z.object({
  promise: z.nullable(z.object({ epoch: whole, intentId: z.string(), step: whole, configVersion: whole })),
  configurations: z.array(configurationSchema),
  promoteIssuedEpoch: z.nullable(whole),
  standing: standingSchema,
});

/** Compile-time agreement of decoders and contract. */
export type Agreement = [
  z.infer<typeof grantSchema> extends Grant ? true : never,
  z.infer<typeof configurationSchema> extends SyncConfiguration ? true : never,
  z.infer<typeof endpointSchema> extends Endpoint ? true : never,
];
