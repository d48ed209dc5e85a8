import { cleanText } from "../../server/protocol/clean-text.ts";
import type { ErrorTrace } from "../../server/protocol/index.ts";
import { limits } from "../../server/protocol/limits.ts";
import { parseStack } from "./parse-stack.ts";

export interface RawError {
  readonly service: string;
  readonly language: ErrorTrace["language"];
  /** Empty: as the stack says. */
  readonly type: string;
  readonly message: string;
  /** The stack as text; empty for none. */
  readonly stack: string;
  readonly traceId: string | null;
}

/** An error as the control plane takes it: its stack parsed, its texts cleaned and cut. It counts once. */
export function makeTrace(raw: RawError): ErrorTrace {
  const parsed = raw.stack === "" ? null : parseStack(raw.stack, raw.language);
  return {
    service: cleanText(raw.service, limits.maxServiceNameLength),
    language: raw.language === "other" ? (parsed?.language ?? "other") : raw.language,
    type: cleanText(raw.type || parsed?.type || "Error", 200),
    message: cleanText(raw.message || parsed?.message || "", limits.maxTextLength),
    frames: (parsed?.frames ?? []).slice(0, limits.maxStackFrames).map((frame) => ({
      function: cleanText(frame.function, 200),
      file: cleanText(frame.file, 200),
      line: frame.line,
    })),
    traceId: raw.traceId,
    count: 1,
  };
}

/** A map, for the name comes from outside: an object would answer to `constructor`. */
const languages: ReadonlyMap<string, ErrorTrace["language"]> = new Map([
  ["nodejs", "javascript"],
  ["webjs", "javascript"],
  ["javascript", "javascript"],
  ["python", "python"],
  ["java", "java"],
  ["go", "go"],
  ["postgres", "postgres"],
]);

/** By the name that an OpenTelemetry SDK gives itself. */
export function languageOf(name: string): ErrorTrace["language"] {
  return languages.get(name.toLowerCase()) ?? "other";
}
