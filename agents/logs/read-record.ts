import { cleanText } from "../../server/protocol/clean-text.ts";
import type { ErrorTrace } from "../../server/protocol/index.ts";
import type { LogFileConfig } from "../config/telemetry-schema.ts";
import { makeTrace } from "../errors/make-trace.ts";
import { parseStack, readLine } from "../errors/parse-stack.ts";
import { parseLevel } from "../otlp/read-logs.ts";
import { readId } from "../otlp/read-spans.ts";
import { asObject, asText, type Values } from "../otlp/walk.ts";
import type { AppLog } from "../telemetry/span.ts";

export type LogRecord =
  | { readonly kind: "error"; readonly trace: ErrorTrace }
  | { readonly kind: "line"; readonly log: AppLog };

export type LogFormat = LogFileConfig["format"];

const maxText = 4_000;

/** What a record of a log says: an error with its stack, or a line for the templates. Null when it is no text. */
export function readRecord(service: string, format: LogFormat, record: string, nowMs: number): LogRecord | null {
  if (isRubbish(record)) return null;
  const tries = format === "auto" ? [readJson, readPostgres, readStack] : [readersOf[format]];
  for (const read of tries) {
    const found = read(service, format, record, nowMs);
    if (found !== null) return found;
  }
  return toLine(service, record, nowMs);
}

type Reader = (service: string, format: LogFormat, record: string, nowMs: number) => LogRecord | null;

const readersOf: Readonly<Record<Exclude<LogFormat, "auto">, Reader>> = {
  json: readJson,
  postgres: readPostgres,
  javascript: readStack,
  python: readStack,
  java: readStack,
  go: readStack,
};

/** Text that is mostly not text: a compressed or binary file under a log's name. */
function isRubbish(record: string): boolean {
  const sample = record.slice(0, 500);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  const odd = sample.match(/[\u0000-\u0008\u000e-\u001a\u001c-\u001f\ufffd]/g)?.length ?? 0;
  return odd > sample.length / 10;
}

function readStack(service: string, format: LogFormat, record: string): LogRecord | null {
  const hint = format === "auto" || format === "json" ? "other" : format;
  const parsed = parseStack(record, hint);
  if (parsed === null || parsed.frames.length === 0) return null;
  const { language, type, message } = parsed;
  return {
    kind: "error",
    trace: makeTrace({ service, language, type, message, stack: record, traceId: traceIdIn(record) }),
  };
}

/** Levels of pino and bunyan. */
const numericLevels: ReadonlyMap<string, AppLog["level"]> = new Map([
  ["10", "debug"],
  ["20", "debug"],
  ["30", "info"],
  ["40", "warn"],
  ["50", "error"],
  ["60", "fatal"],
]);

/** One JSON object a line, by the names that pino, winston, bunyan, logback, zap and structlog give. */
function readJson(service: string, _format: LogFormat, record: string, nowMs: number): LogRecord | null {
  if (!record.startsWith("{")) return null;
  let values: Values;
  try {
    values = asObject(JSON.parse(record));
  } catch {
    return null;
  }
  const first = (...names: readonly string[]): unknown =>
    names.map((name) => values[name]).find((value) => value !== undefined);
  const message = asText(first("msg", "message", "event", "log"));
  const level = first("level", "severity", "levelname", "lvl");
  const error = asObject(first("err", "error", "exception", "exc"));
  const stack = asText(error.stack) || asText(first("stack", "stack_trace", "stacktrace", "exc_info", "exception"));
  const traceId = readId(first("trace_id", "traceId", "trace.id"), 32) || null;
  if (stack !== "") {
    const type = asText(error.type) || asText(error.name);
    const parsed = parseStack(stack);
    const text = asText(error.message) || (parsed === null ? message : "");
    return { kind: "error", trace: makeTrace({ service, language: "other", type, message: text, stack, traceId }) };
  }
  const text = cleanText(message, maxText);
  if (text.trim() === "") return null;
  return {
    kind: "line",
    log: {
      service,
      level: numericLevels.get(String(level)) ?? parseLevel(asText(level)),
      text,
      at: nowMs,
      traceId,
      spanId: readId(first("span_id", "spanId", "span.id"), 16) || null,
    },
  };
}

/**
 * A message of a PostgreSQL server, whatever its `log_line_prefix`: severity, text, and below it DETAIL, CONTEXT, STATEMENT. An SQLSTATE (`%e`) in the
 * prefix becomes the type.
 */
function readPostgres(service: string, _format: LogFormat, record: string, nowMs: number): LogRecord | null {
  const match = /^(.{0,200}?)\b(DEBUG\d?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC): {1,2}(.*)/.exec(record);
  if (match === null) return null;
  const [, prefix = "", severity = "", message = ""] = match;
  if (!/^(?:ERROR|FATAL|PANIC)$/.test(severity)) {
    const text = cleanText(message, maxText);
    if (text.trim() === "") return null;
    const level = parseLevel(severity);
    return {
      kind: "line",
      log: { service, level, text, at: nowMs, traceId: null, spanId: null },
    };
  }
  // Without a time or a process in front it may be any program's line.
  if (!/\d/.test(prefix)) return null;
  const state = /(?:^|[\s:,[(])(?=[0-9A-Z]*\d)([0-9A-Z]{5})(?:[\s:,\])]|$)/.exec(prefix)?.[1];
  const frames = [...record.matchAll(/(?:PL\/pgSQL|SQL) function "?([\w.]+)"?[^\n]*? line (\d+)/g)].map((found) => ({
    function: found[1] ?? "",
    file: "PL/pgSQL",
    line: readLine(found[2]),
  }));
  const trace = makeTrace({
    service,
    language: "postgres",
    type: state ?? severity,
    message,
    stack: "",
    traceId: null,
  });
  return { kind: "error", trace: { ...trace, frames: frames.slice(0, 16) } };
}

function toLine(service: string, record: string, nowMs: number): LogRecord | null {
  const [first = ""] = record.split("\n", 1);
  const text = cleanText(first, maxText).trim();
  if (text === "") return null;
  const word =
    /\b(?:level|severity|lvl)=["']?(\w+)|\b(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|SEVERE|FATAL|CRITICAL|PANIC)\b|\[(\w+)\]/.exec(
      text.slice(0, 200),
    );
  const level = parseLevel(word?.[1] ?? word?.[2] ?? word?.[3] ?? "");
  return { kind: "line", log: { service, level, text, at: nowMs, traceId: traceIdIn(text), spanId: spanIdIn(text) } };
}

function traceIdIn(text: string): string | null {
  return readId(/\btrace_?id["']?[=:]\s?["']?([0-9a-f]{32})\b/i.exec(text)?.[1], 32) || null;
}

function spanIdIn(text: string): string | null {
  return readId(/\bspan_?id["']?[=:]\s?["']?([0-9a-f]{16})\b/i.exec(text)?.[1], 16) || null;
}
