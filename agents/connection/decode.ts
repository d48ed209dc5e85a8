import * as z from "zod/mini";
import type { ServerFrame } from "../../server/protocol/index.ts";
import { limits } from "../../server/protocol/limits.ts";
import { grantSchema } from "../commands/schemas.ts";

/** Decoder of everything a server may say. Anything else ends the session. */

const text = z.string().check(z.maxLength(limits.maxTextLength));
const whole = z.int().check(z.gte(0));
const peers = z
  .array(z.object({ node: text, cluster: text, host: text, port: z.int().check(z.gte(1), z.lte(65_535)) }))
  .check(z.maxLength(limits.maxPeers));

const serverFrameSchema = z.discriminatedUnion("t", [
  z.object({ t: z.literal("challenge"), nonce: text, serverKey: text, signature: text }),
  z.object({
    t: z.literal("welcome"),
    sessionId: text,
    heartbeatMs: z.int().check(z.gte(50), z.lte(60_000)),
    peers,
    recordsUpTo: whole,
  }),
  z.object({ t: z.literal("peers"), peers, heartbeatMs: z.optional(z.int().check(z.gte(50), z.lte(60_000))) }),
  z.object({ t: z.literal("lease"), cluster: text, epoch: whole, ask: z.number().check(z.gte(0)) }),
  z.object({ t: z.literal("refused"), code: text, detail: text }),
  z.object({
    t: z.literal("command"),
    envelope: z.strictObject({
      id: z.string().check(z.minLength(1), z.maxLength(200)),
      agentKey: text,
      cluster: text,
      grant: grantSchema,
      verb: text,
      args: z.unknown(),
      sessionMs: z.number().check(z.gte(0)),
      expiresAfterMs: z.number().check(z.gte(0), z.lte(limits.commandExpiresAfterMs)),
      counter: whole,
    }),
    signature: text,
  }),
  z.object({ t: z.literal("result-ack"), commandId: text }),
  z.object({ t: z.literal("records-ack"), spoolId: text, upTo: whole }),
]);

/** The frame, or null when it is none. */
export function decodeServerFrame(message: string): ServerFrame | null {
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch {
    return null;
  }
  const parsed = z.safeParse(serverFrameSchema, value);
  return parsed.success ? (parsed.data as ServerFrame) : null;
}
