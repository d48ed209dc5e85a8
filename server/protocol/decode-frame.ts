import * as z from "zod/mini";
import type { AgentFrame } from "./agent-frames.ts";
import { agentFrameSchema } from "./agent-schema.ts";
import { limits } from "./limits.ts";
import type { ViewerFrame } from "./viewer-frames.ts";

export type Decoded<T> = { readonly ok: true; readonly frame: T } | { readonly ok: false; readonly reason: string };

/** Reads a frame from an agent. Never throws; the reason names the first property that is wrong. */
export function decodeAgentFrame(text: string): Decoded<AgentFrame> {
  return decode(text, limits.maxFrameBytes, agentFrameSchema);
}

const topic = z.string().check(z.regex(/^(node|incident):[A-Za-z0-9-]{1,64}$/));

const viewerFrameSchema = z.discriminatedUnion("t", [
  z.object({
    t: z.literal("resume"),
    cursor: z.nullable(z.object({ feedId: z.string().check(z.maxLength(100)), seq: z.int().check(z.gte(0)) })),
  }),
  z.object({ t: z.literal("watch"), topics: z.array(topic).check(z.maxLength(8)) }),
  z.object({ t: z.literal("ping"), id: z.number() }),
]);

/** Reads a frame from a browser. Never throws. */
export function decodeViewerFrame(text: string): Decoded<ViewerFrame> {
  return decode(text, 16 * 1024, viewerFrameSchema);
}

function decode<T>(text: string, maxLength: number, schema: z.ZodMiniType<T>): Decoded<T> {
  if (text.length > maxLength) return { ok: false, reason: "frame too large" };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, reason: "not JSON" };
  }
  const parsed = z.safeParse(schema, value);
  if (parsed.success) return { ok: true, frame: parsed.data };
  const issue = parsed.error.issues[0];
  const path = issue?.path.map(String).join(".").slice(0, 60) ?? "";
  return { ok: false, reason: `${path === "" ? "frame" : path}: ${(issue?.message ?? "invalid").slice(0, 60)}` };
}
