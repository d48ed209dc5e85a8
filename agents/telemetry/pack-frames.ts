import type {
  CallCount,
  ConnectionReport,
  DroppedCounts,
  Gauge,
  LogCount,
  RequestCount,
  SeenService,
  TelemetryFrame,
} from "../../server/protocol/index.ts";
import { limits } from "../../server/protocol/limits.ts";
import { emptySpans, noneDropped } from "../../server/protocol/telemetry-frame.ts";

/** Bytes of JSON that one frame's parts may take; the rest of what the wire takes is for what holds them. */
export const packedBytes = limits.maxFrameBytes - 16 * 1024;
/** Sent at once. The control plane takes as many in a burst; after an hour away it needs the newest first, not everything. */
const framesAtOnce = 16;
/** Punctuation around a second of a bucket. */
const secondBytes = 80;

/** What there is to say, however much. */
export type Unpacked = Omit<TelemetryFrame, "t" | "connections"> & { readonly connections: ConnectionReport | null };

export interface Packed {
  readonly frames: readonly TelemetryFrame[];
  /** What did not fit into as many frames as leave at once. */
  readonly left: DroppedCounts;
}

interface Draft {
  bytes: number;
  readonly services: SeenService[];
  readonly gauges: Gauge[];
  readonly logs: LogCount[];
  readonly buckets: Map<number, { readonly requests: RequestCount[]; readonly calls: CallCount[] }>;
}

/**
 * As few frames as the wire takes. Everything in them adds up, so that a second may be told in several; only spans stay together, for whole
 * traces are kept or none: they are bounded where they are sampled.
 */
export function packFrames(parts: Unpacked): Packed {
  const drafts: Draft[] = [openDraft()];
  const roomFor = (value: unknown, extra = 0): Draft => {
    const bytes = jsonBytes(value) + extra;
    let draft = drafts.at(-1) as Draft;
    if (draft.bytes + bytes > packedBytes) {
      draft = openDraft();
      drafts.push(draft);
    }
    draft.bytes += bytes;
    return draft;
  };
  if (parts.connections !== null) roomFor(parts.connections);
  for (const service of parts.services) roomFor(service).services.push(service);
  for (const gauge of parts.gauges) roomFor(gauge).gauges.push(gauge);
  for (const { second, requests, calls } of parts.buckets) {
    const bucketOf = (draft: Draft) => {
      const known = draft.buckets.get(second) ?? { requests: [], calls: [] };
      draft.buckets.set(second, known);
      return known;
    };
    for (const each of requests) bucketOf(roomFor(each, secondBytes)).requests.push(each);
    for (const each of calls) bucketOf(roomFor(each, secondBytes)).calls.push(each);
  }
  for (const log of parts.logs) roomFor(log).logs.push(log);
  const [head, ...others] = drafts.map((draft, i) => toFrame(draft, parts, i === 0 ? parts.dropped : noneDropped));
  const { connections } = parts;
  const frames = [{ ...(head as TelemetryFrame), ...(connections === null ? {} : { connections }) }, ...others];
  const withSpans = parts.spans.trace.length > 0 ? { ...toFrame(openDraft(), parts, noneDropped) } : null;
  const most = framesAtOnce - (withSpans === null ? 0 : 1);
  return {
    frames: [...frames.slice(0, most), ...(withSpans === null ? [] : [{ ...withSpans, spans: parts.spans }])],
    left: countLeft(frames.slice(most)),
  };
}

export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value)) + 1;
}

function openDraft(): Draft {
  return { bytes: 0, services: [], gauges: [], logs: [], buckets: new Map() };
}

function toFrame({ services, gauges, logs, buckets }: Draft, { at }: Unpacked, dropped: DroppedCounts): TelemetryFrame {
  return {
    t: "telemetry",
    at,
    services,
    gauges,
    buckets: [...buckets].map(([second, traffic]) => ({ second, ...traffic })),
    spans: emptySpans,
    logs,
    dropped,
  };
}

/** Requests count among the calls: both are what somebody asked of a service. Names and gauges come again with the next frame. */
function countLeft(frames: readonly TelemetryFrame[]): DroppedCounts {
  const sum = (list: readonly { readonly count: number }[]) => list.reduce((total, { count }) => total + count, 0);
  const buckets = frames.flatMap((frame) => frame.buckets);
  return {
    ...noneDropped,
    calls: sum(buckets.flatMap(({ requests, calls }) => [...requests, ...calls])),
    logs: sum(frames.flatMap(({ logs }) => logs)),
  };
}
