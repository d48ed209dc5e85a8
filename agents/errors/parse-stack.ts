import type { ErrorTrace } from "../../server/protocol/index.ts";

/**
 * Reads the text of a stack trace: its exception, message and frames, innermost first. Formats: V8 (JavaScript), CPython's traceback, the
 * JVM's `printStackTrace`, Go's panics and `debug.Stack`.
 */
export interface ParsedStack {
  readonly language: ErrorTrace["language"];
  readonly type: string;
  readonly message: string;
  readonly frames: ErrorTrace["frames"];
}

type Frame = ErrorTrace["frames"][number];

const maxLines = 400;

/** Null when the text is no stack trace of a known language. `hint` decides where formats look alike. */
export function parseStack(text: string, hint: ErrorTrace["language"] = "other"): ParsedStack | null {
  const lines = text.split("\n", maxLines).map((line) => line.trimEnd());
  const order = [hint, "python", "go", "java", "javascript"] as const;
  for (const language of order) {
    const parsed = parsers[language]?.(lines) ?? null;
    if (parsed !== null) return parsed;
  }
  return null;
}

const parsers: Partial<Record<ErrorTrace["language"], (lines: readonly string[]) => ParsedStack | null>> = {
  javascript: parseJavaScript,
  python: parsePython,
  java: parseJava,
  go: parseGo,
};

/** `Name: message`, then `    at function (file:line:column)`. A cause follows as `[cause]: Name: message`: the error that was thrown counts. */
function parseJavaScript(lines: readonly string[]): ParsedStack | null {
  const first = lines.findIndex((line) => v8Frame(line) !== null);
  if (first < 0) return null;
  const frames: Frame[] = [];
  for (const line of lines.slice(first)) {
    const frame = v8Frame(line);
    if (frame === null) break;
    frames.push(frame);
  }
  // Above a thrown error Node prints where it was: the header is the last line before the frames that names an error.
  const header =
    lines.slice(0, first).findLast((line) => /^(?:Uncaught )?[\w$.]+(?: \[\w+\])?(?::|$)/.test(line)) ?? "";
  return { language: "javascript", ...splitHeader(header.replace(/^Uncaught /, "").replace(/ \[\w+\]/, "")), frames };
}

/** A number that no file has so many lines for is none: it would not fit into a record. */
export function readLine(text: string | undefined): number | null {
  const line = Number(text);
  return Number.isSafeInteger(line) ? line : null;
}

function v8Frame(line: string): Frame | null {
  const match = /^\s+at (?:async )?(?:(.+?) \()?((?:file:\/\/|node:|webpack:)?[^()]+?):(\d+):\d+\)?(?: \{)?$/.exec(
    line,
  );
  if (match === null) return null;
  return { function: match[1] ?? "(anonymous)", file: shortenFile(match[2] ?? ""), line: readLine(match[3]) };
}

/** The last exception of a chain is the one that was raised; its frames stand outermost first. */
function parsePython(lines: readonly string[]): ParsedStack | null {
  const start = lines.findLastIndex((line) => line.trim() === "Traceback (most recent call last):");
  if (start < 0) return null;
  const indent = (lines[start] ?? "").search(/\S/);
  const frames: Frame[] = [];
  for (const line of lines.slice(start + 1)) {
    const match = /^\s+File "([^"]+)", line (\d+)(?:, in (.+))?$/.exec(line);
    if (match !== null) {
      frames.unshift({ function: match[3] ?? "<module>", file: shortenFile(match[1] ?? ""), line: readLine(match[2]) });
    } else if (line.trim() !== "" && line.search(/\S/) <= indent) {
      return { language: "python", ...splitHeader(line.trim()), frames };
    }
  }
  return frames.length === 0 ? null : { language: "python", type: "Exception", message: "", frames };
}

/** The root cause stands last, after `Caused by:`: it is what went wrong. */
function parseJava(lines: readonly string[]): ParsedStack | null {
  const cause = lines.findLastIndex((line) => /^\s*Caused by: /.test(line));
  const firstFrame = lines.findIndex((line) => javaFrame(line) !== null);
  if (firstFrame < 0) return null;
  const headerAt = cause >= 0 ? cause : lines.slice(0, firstFrame).findLastIndex((line) => line.trim() !== "");
  const header = (lines[headerAt] ?? "").replace(/^\s*Caused by: /, "").replace(/^.*Exception in thread "[^"]*" /, "");
  const frames: Frame[] = [];
  for (const line of lines.slice(Math.max(headerAt + 1, 0))) {
    const frame = javaFrame(line);
    if (frame !== null) frames.push(frame);
    else if (frames.length > 0) break;
  }
  return { language: "java", ...splitHeader(header.trim()), frames };
}

function javaFrame(line: string): Frame | null {
  const match = /^\s+at (?:[\w.@-]+\/{1,2})?([\w$.<>]+)\(([^():]+)(?::(\d+))?\)/.exec(line);
  if (match === null) return null;
  return { function: match[1] ?? "", file: match[2] ?? "", line: readLine(match[3]) };
}

/** `panic: message` and `goroutine N [running]:`; each frame is two lines, the function and below it the file. */
function parseGo(lines: readonly string[]): ParsedStack | null {
  const start = lines.findIndex((line) => /^goroutine \d+ \[/.test(line));
  if (start < 0) return null;
  const frames: Frame[] = [];
  for (let i = start + 1; i + 1 < lines.length; i += 1) {
    const file = /^\s+(\S+\.(?:go|s)):(\d+)/.exec(lines[i + 1] ?? "");
    const name = lines[i] ?? "";
    if (file === null) {
      if (/^goroutine \d+ \[/.test(name)) break;
      continue;
    }
    frames.push({
      function: name.replace(/^created by /, "").replace(/\((?:0x|\.\.\.|\{|\)).*$/, ""),
      file: shortenFile(file[1] ?? ""),
      line: readLine(file[2]),
    });
    i += 1;
  }
  const panicked = lines.slice(0, start).findLast((line) => /^(?:panic|fatal error): /.test(line.trim()));
  const message = (panicked ?? "")
    .trim()
    .replace(/^(?:panic|fatal error): /, "")
    .replace(/ \[recovered\]$/, "");
  // Frames of the runtime's own panic machinery say nothing about where it happened.
  const own = frames.findIndex((frame) => !/^(?:panic|runtime[./]|runtime\/debug)/.test(frame.function));
  return {
    language: "go",
    type: /^runtime error: [^:]+/.exec(message)?.[0] ?? (panicked === undefined ? "stack" : "panic"),
    message,
    frames: frames.slice(Math.max(0, own)),
  };
}

function splitHeader(header: string): { readonly type: string; readonly message: string } {
  const match = /^([\w$.]+(?: \(\w+\))?)(?::\s*([\s\S]*))?$/.exec(header);
  return match === null ? { type: "Error", message: header } : { type: match[1] ?? "Error", message: match[2] ?? "" };
}

/** Where a checkout or a home directory lies is no property of an error. */
function shortenFile(file: string): string {
  const plain = file.replace(/^(?:async )?file:\/\//, "");
  const known = /^.*\/((?:node_modules|site-packages|dist-packages|pkg\/mod|src|lib|dist|app)\/.*)$/.exec(plain);
  return (known?.[1] ?? plain).slice(-200);
}
