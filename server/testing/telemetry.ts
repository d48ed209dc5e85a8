import { durationBucket } from "../protocol/duration-histogram.ts";
import {
  type CallCount,
  type DurationCount,
  emptySpans,
  noneDropped,
  type RequestCount,
  type SpanColumns,
  type SpanPeer,
  type TelemetryFrame,
} from "../protocol/telemetry-frame.ts";

/** A telemetry frame that says nothing but what is given. */
export function makeTelemetry(over: Partial<TelemetryFrame> = {}): TelemetryFrame {
  return {
    t: "telemetry",
    at: 1_700_000_000_000,
    services: [],
    gauges: [],
    buckets: [],
    spans: emptySpans,
    logs: [],
    dropped: noneDropped,
    ...over,
  };
}

/** `count` requests of `ms` each. */
export function makeDurations(count: number, ms: number, errors = 0): DurationCount {
  const histogram = count === 0 ? [] : [durationBucket(ms), count];
  return { count, errors, durationSumMs: count * ms, durationMaxMs: count === 0 ? 0 : ms, histogram };
}

export function makeRequests(service: string, count: number, ms: number, errors = 0): RequestCount {
  return { service, ...makeDurations(count, ms, errors) };
}

export function makeCalls(
  from: string,
  to: string,
  kind: CallCount["kind"],
  count: number,
  ms: number,
  errors = 0,
): CallCount {
  return { from, to, kind, ...makeDurations(count, ms, errors) };
}

export interface SpanDraft {
  readonly trace: string;
  readonly id: string;
  readonly parent?: string;
  readonly service: string;
  readonly op?: string;
  readonly kind: number;
  readonly peer?: SpanPeer;
  readonly startUs: number;
  readonly durationUs: number;
}

/** Spans as columns; ids may be short, they are filled up with zeros. */
export function makeSpans(drafts: readonly SpanDraft[], level = 0): SpanColumns {
  const services = [...new Set(drafts.map((draft) => draft.service))];
  const traces = [...new Set(drafts.map((draft) => draft.trace))];
  const peers = drafts.flatMap(({ peer }) => (peer === undefined ? [] : [peer]));
  const fill = (id: string, length: number): string => id.padStart(length, "0");
  return {
    level,
    services,
    ops: drafts.map((draft) => draft.op ?? "GET /"),
    peers,
    traces: traces.map((trace) => fill(trace, 32)),
    trace: drafts.map((draft) => traces.indexOf(draft.trace)),
    service: drafts.map((draft) => services.indexOf(draft.service)),
    op: drafts.map((_, i) => i),
    peer: drafts.map(({ peer }) => (peer === undefined ? -1 : peers.indexOf(peer))),
    id: drafts.map((draft) => fill(draft.id, 16)),
    parent: drafts.map(({ parent }) => (parent === undefined ? "" : fill(parent, 16))),
    kind: drafts.map((draft) => draft.kind),
    startUs: drafts.map((draft) => draft.startUs),
    durationUs: drafts.map((draft) => draft.durationUs),
    error: drafts.map(() => 0),
  };
}
