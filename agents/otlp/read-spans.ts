import { cleanText } from "../../server/protocol/clean-text.ts";
import type { ErrorTrace } from "../../server/protocol/index.ts";
import { limits } from "../../server/protocol/limits.ts";
import { languageOf, makeTrace } from "../errors/make-trace.ts";
import { findPeer } from "../telemetry/peer-name.ts";
import type { AppSpan } from "../telemetry/span.ts";
import { Attributes, asList, asNumber, asObject, asText, type Values } from "./walk.ts";

export interface ReadSpans {
  readonly spans: readonly AppSpan[];
  readonly errors: readonly ErrorTrace[];
  readonly rejected: number;
  /** Why the first of them was rejected; empty for none. */
  readonly reason: string;
}

export interface Source {
  readonly service: string;
  readonly version: string | null;
  readonly language: ErrorTrace["language"];
}

const eventsRead = 32;
const failedStatus = 2;
/** Longer than a day, or ended before it began: no span. */
const maxDurationMs = 86_400_000;
/** Thirty years: seconds or milliseconds that were sent for nanoseconds, which no frame has room for. */
const maxDistanceMs = 30 * 365 * 86_400_000;

/** Spans of an export request, whichever encoding it came in. Spans without identity or with impossible times are rejected one by one. */
export function readSpans(request: Values, aliases: ReadonlyMap<string, string>, maxSpans: number): ReadSpans {
  const spans: AppSpan[] = [];
  const errors: ErrorTrace[] = [];
  let rejected = 0;
  let reason = "";
  for (const group of asList(request.resourceSpans).map(asObject)) {
    const source = readSource(group);
    for (const scope of asList(group.scopeSpans).map(asObject)) {
      for (const raw of asList(scope.spans).map(asObject)) {
        const read =
          spans.length >= maxSpans ? `more than ${maxSpans} spans in a request` : readSpan(raw, source, aliases);
        if (typeof read === "string") {
          rejected += 1;
          reason ||= read;
          continue;
        }
        spans.push(read);
        errors.push(...readExceptions(raw, source, read.traceId));
      }
    }
  }
  return { spans, errors, rejected, reason };
}

export function readSource(group: Values): Source {
  const attributes = new Attributes(asObject(group.resource).attributes);
  const version = cleanText(attributes.get("service.version"), 100);
  return {
    service: oneLine(attributes.get("service.name"), limits.maxServiceNameLength) || "unknown_service",
    version: version === "" ? null : version,
    language: languageOf(attributes.get("telemetry.sdk.language")),
  };
}

function readSpan(raw: Values, source: Source, aliases: ReadonlyMap<string, string>): AppSpan | string {
  const traceId = readId(raw.traceId, 32);
  const id = readId(raw.spanId, 16);
  if (traceId === "" || id === "") return "a span has no valid traceId and spanId";
  const startAt = asNumber(raw.startTimeUnixNano) / 1e6;
  const durationMs = asNumber(raw.endTimeUnixNano) / 1e6 - startAt;
  if (!(durationMs >= -1 && durationMs <= maxDurationMs)) return "a span's times make no sense";
  if (!(Math.abs(Date.now() - startAt) <= maxDistanceMs))
    return "a span's times are decades from now: give nanoseconds since 1970";
  const attributes = new Attributes(raw.attributes);
  const kind = Math.min(4, Math.max(0, Math.floor(asNumber(raw.kind)) - 1));
  const calls = kind === 2 || kind === 3;
  const peer = calls ? findPeer(attributes, aliases) : null;
  return {
    traceId,
    id,
    parent: readId(raw.parentSpanId, 16),
    service: source.service,
    version: source.version,
    op: oneLine(asText(raw.name), 200) || "(unnamed)",
    kind,
    startAt,
    durationMs: Math.max(0, durationMs),
    failed:
      asNumber(asObject(raw.status).code) === failedStatus || asText(asObject(raw.status).code) === "STATUS_CODE_ERROR",
    peer: peer === null ? null : { ...peer, name: oneLine(peer.name, limits.maxServiceNameLength) || "unknown" },
  };
}

/** Exceptions are recorded as events of the span in which they were seen. */
function readExceptions(raw: Values, source: Source, traceId: string): ErrorTrace[] {
  const events = asList(raw.events).slice(0, eventsRead).map(asObject);
  return events.flatMap((event) => {
    if (event.name !== "exception") return [];
    const trace = readException(new Attributes(event.attributes), source, traceId);
    return trace === null ? [] : [trace];
  });
}

/** Null where there is no exception. */
export function readException(attributes: Attributes, source: Source, traceId: string | null): ErrorTrace | null {
  const type = attributes.get("exception.type");
  const message = attributes.get("exception.message");
  const stack = attributes.get("exception.stacktrace");
  if (type === "" && message === "" && stack === "") return null;
  return makeTrace({ service: source.service, language: source.language, type, message, stack, traceId });
}

/** Empty for what is no identifier, and for all zeros, which means none. Ids are hexadecimal in JSON too. */
export function readId(value: unknown, length: number): string {
  const text = asText(value).toLowerCase();
  return text.length === length && /^[0-9a-f]+$/.test(text) && !/^0+$/.test(text) ? text : "";
}

export function oneLine(text: string, maxLength: number): string {
  return cleanText(text, maxLength).replace(/\s+/g, " ").trim();
}
