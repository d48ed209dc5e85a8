import { cleanText } from "../../server/protocol/clean-text.ts";
import type { ErrorTrace } from "../../server/protocol/index.ts";
import type { AppLog } from "../telemetry/span.ts";
import { readException, readId, readSource } from "./read-spans.ts";
import { Attributes, asList, asNumber, asObject, asText, scalarText, type Values } from "./walk.ts";

export interface ReadLogs {
  readonly logs: readonly AppLog[];
  readonly errors: readonly ErrorTrace[];
  readonly rejected: number;
  readonly reason: string;
}

/** Longest line that is looked at. */
const maxLine = 4_000;

/** Log records of an export request: those with an exception are error traces, the others lines for the templates. */
export function readLogs(request: Values, maxRecords: number, nowMs: number): ReadLogs {
  const logs: AppLog[] = [];
  const errors: ErrorTrace[] = [];
  let rejected = 0;
  for (const group of asList(request.resourceLogs).map(asObject)) {
    const source = readSource(group);
    for (const scope of asList(group.scopeLogs).map(asObject)) {
      for (const raw of asList(scope.logRecords).map(asObject)) {
        if (logs.length + errors.length >= maxRecords) {
          rejected += 1;
          continue;
        }
        const traceId = readId(raw.traceId, 32) || null;
        const error = readException(new Attributes(raw.attributes), source, traceId);
        if (error !== null) {
          errors.push(error);
          continue;
        }
        const text = scalarText(raw.body);
        if (text === null || text.trim() === "") continue;
        const at = asNumber(raw.timeUnixNano) || asNumber(raw.observedTimeUnixNano);
        logs.push({
          service: source.service,
          level: levelOf(asNumber(raw.severityNumber), asText(raw.severityText)),
          text: cleanText(text, maxLine),
          at: at === 0 ? nowMs : at / 1e6,
          traceId,
          spanId: readId(raw.spanId, 16) || null,
        });
      }
    }
  }
  return { logs, errors, rejected, reason: rejected === 0 ? "" : `more than ${maxRecords} records in a request` };
}

/** Severity numbers stand in groups of four: trace, debug, info, warn, error, fatal. */
function levelOf(number: number, text: string): AppLog["level"] {
  if (number >= 1 && number <= 24) {
    return (["debug", "debug", "info", "warn", "error", "fatal"] as const)[Math.floor((number - 1) / 4)] ?? "unknown";
  }
  return parseLevel(text);
}

const levelWords: readonly (readonly [RegExp, AppLog["level"]])[] = [
  [/^(fatal|panic|emerg|alert|crit)/i, "fatal"],
  [/^(err|severe)/i, "error"],
  [/^warn/i, "warn"],
  [/^(info|notice|log|statement)/i, "info"],
  [/^(debug|trace|fine|verbose|detail|hint|context)/i, "debug"],
];

export function parseLevel(word: string): AppLog["level"] {
  return levelWords.find(([pattern]) => pattern.test(word))?.[1] ?? "unknown";
}
