import * as z from "zod/mini";
import type { ReceivedFrame } from "./agent-frames.ts";
import { agentFrameSchema } from "./agent-schema.ts";
import { cleanText } from "./clean-text.ts";
import { limits } from "./limits.ts";
import { dispensable, dropRefused, placeOf, type RefusedPart, whyOf } from "./salvage-frame.ts";
import type { ViewerFrame } from "./viewer-frames.ts";

export type Decoded<T> = { readonly ok: true; readonly frame: T } | { readonly ok: false; readonly reason: string };

/** `frame` null: a frame of a known kind of which nothing could be kept; `refused` says why. */
export type DecodedAgentFrame =
  | { readonly ok: true; readonly frame: ReceivedFrame | null; readonly refused: readonly RefusedPart[] }
  | { readonly ok: false; readonly reason: string };

/** What is wrong inside one part shows only when the other is gone; a frame that is wrong again and again is left out. */
const salvageRounds = 4;

/**
 * Reads a frame from an agent. Never throws. Records and parts that others can do without are left out when they are wrong, and told in
 * `refused`; anything else that is wrong is the end of the frame, and the reason names the first property.
 */
export function decodeAgentFrame(text: string): DecodedAgentFrame {
  const json = readJson(text, limits.maxFrameBytes);
  if (!json.ok) return json;
  const { value } = json;
  const refused: RefusedPart[] = [];
  let first: string | null = null;
  for (let round = 0; round < salvageRounds; round += 1) {
    const parsed = z.safeParse(agentFrameSchema, value);
    if (parsed.success) return { ok: true, frame: parsed.data, refused: refused.map(toSafe) };
    first ??= describeIssue(parsed.error.issues[0]);
    if (!isObject(value)) break;
    const dropped = dropRefused(value, parsed.error.issues);
    if (dropped === null) break;
    refused.push(...dropped);
  }
  const whole = isObject(value) ? dispensable.get(value.t) : undefined;
  if (whole === undefined || !isObject(value)) return { ok: false, reason: first ?? "frame: invalid" };
  const [issue] = z.safeParse(agentFrameSchema, value).error?.issues ?? [];
  const part = { part: whole, place: placeOf(issue?.path ?? []), why: whyOf(issue?.code ?? "") };
  return { ok: true, frame: null, refused: [...refused, part].map(toSafe) };
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
  const json = readJson(text, maxLength);
  if (!json.ok) return json;
  const parsed = z.safeParse(schema, json.value);
  if (parsed.success) return { ok: true, frame: parsed.data };
  return { ok: false, reason: describeIssue(parsed.error.issues[0]) };
}

type Json = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reason: string };

function readJson(text: string, maxLength: number): Json {
  if (text.length > maxLength) return { ok: false, reason: "frame too large" };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false, reason: "not JSON" };
  }
}

function describeIssue(issue: { readonly path: readonly PropertyKey[]; readonly message: string } | undefined): string {
  const path = issue?.path.map(String).join(".").slice(0, 60) ?? "";
  return `${path === "" ? "frame" : path}: ${(issue?.message ?? "invalid").slice(0, 60)}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** Names of properties are the sender's, too. */
function toSafe(part: RefusedPart): RefusedPart {
  return { ...part, place: cleanText(part.place, 60) };
}
