import { createHash } from "node:crypto";
import type { ErrorTrace, TraceGroupView, TracePartView } from "../../protocol/index.ts";

/** Frames that decide: the innermost ones; deeper ones vary with the caller. */
const decidingFrames = 5;

/** What differs between occurrences of one error: numbers, identifiers, quoted values, addresses. */
function maskMessage(message: string): string {
  return message
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, "#")
    .replace(/'[^']*'|"[^"]*"/g, "#")
    .replace(/\b0x[0-9a-f]+\b/gi, "#")
    .replace(/\d+/g, "#")
    .slice(0, 200);
}

export interface TraceFingerprint {
  /** 16 hexadecimal digits. */
  readonly id: string;
  /** Message keys below `grouping.`. */
  readonly why: readonly string[];
}

/**
 * Which traces are one group: the same service, type and innermost frames (function and file; lines move with every release). Without
 * frames, the message with its variable parts masked.
 */
export function fingerprintTrace(trace: ErrorTrace): TraceFingerprint {
  const frames = trace.frames.slice(0, decidingFrames).map((frame) => `${frame.function}@${frame.file}`);
  const detail = frames.length > 0 ? frames : [maskMessage(trace.message)];
  const why = ["same-service", "same-type", frames.length > 0 ? "same-frames" : "same-message"];
  const text = JSON.stringify([trace.service, trace.language, trace.type, detail]);
  return { id: createHash("sha256").update(text, "utf8").digest("hex").slice(0, 16), why };
}

/** The whole group under the name of its first part. */
export function sumParts(first: TracePartView, parts: readonly TracePartView[]): TraceGroupView {
  return {
    ...first,
    count: parts.reduce((sum, part) => sum + part.count, 0),
    firstSeenAt: Math.min(...parts.map((part) => part.firstSeenAt)),
    lastSeenAt: Math.max(...parts.map((part) => part.lastSeenAt)),
    nodes: [...new Set(parts.flatMap((part) => part.nodes))].sort(),
    merged: parts.length - 1,
  };
}
