import { durationBucket, durationBuckets, toSparse } from "../../server/protocol/duration-histogram.ts";
import type { DurationCount, SpanPeer, TelemetryBucket } from "../../server/protocol/index.ts";
import { limits } from "../../server/protocol/limits.ts";
import type { AppSpan } from "./span.ts";

/** Spans come late; what ended longer ago than this is counted as now. */
const lateLimitS = 60;
const server = 1;
const client = 2;
const producer = 3;
const consumer = 4;

class Durations {
  #count = 0;
  #errors = 0;
  #sumMs = 0;
  #maxMs = 0;
  readonly #histogram = new Uint32Array(durationBuckets);

  add(durationMs: number, failed: boolean): void {
    this.#count += 1;
    if (failed) this.#errors += 1;
    this.#sumMs += durationMs;
    this.#maxMs = Math.max(this.#maxMs, durationMs);
    const bucket = durationBucket(durationMs);
    this.#histogram[bucket] = (this.#histogram[bucket] as number) + 1;
  }

  toCount(): DurationCount {
    return {
      count: this.#count,
      errors: this.#errors,
      durationSumMs: Math.round(this.#sumMs * 1_000) / 1_000,
      durationMaxMs: Math.round(this.#maxMs * 1_000) / 1_000,
      histogram: toSparse(this.#histogram),
    };
  }
}

interface Second {
  readonly requests: Map<string, Durations>;
  readonly calls: Map<string, { readonly from: string; readonly peer: SpanPeer; readonly durations: Durations }>;
}

/** Requests and calls by the second in which they ended, until they are taken. */
export class TrafficCounts {
  readonly #seconds = new Map<number, Second>();
  readonly #onDropped: (count: number) => void;

  /** `onDropped`: calls that are not counted, since there are too many kinds of them. */
  constructor(onDropped: (count: number) => void) {
    this.#onDropped = onDropped;
  }

  add(span: AppSpan, nowMs: number): void {
    if (span.kind === server || span.kind === consumer) {
      const { requests } = this.#secondOf(span, nowMs);
      const durations = requests.get(span.service) ?? new Durations();
      requests.set(span.service, durations);
      durations.add(span.durationMs, span.failed);
    } else if ((span.kind === client || span.kind === producer) && span.peer !== null) {
      this.#addCall(span, span.peer, nowMs);
    }
  }

  take(): TelemetryBucket[] {
    const buckets = [...this.#seconds].map(([second, { requests, calls }]) => ({
      second,
      requests: [...requests].map(([service, durations]) => ({ service, ...durations.toCount() })),
      calls: [...calls.values()].map(({ from, peer, durations }) => ({
        from,
        to: peer.name,
        kind: peer.kind,
        ...durations.toCount(),
      })),
    }));
    this.#seconds.clear();
    return buckets;
  }

  /** While nobody takes them: what would come too late is forgotten. */
  forgetBefore(second: number): void {
    for (const key of this.#seconds.keys()) if (key < second) this.#seconds.delete(key);
  }

  #addCall(span: AppSpan, peer: SpanPeer, nowMs: number): void {
    const { calls } = this.#secondOf(span, nowMs);
    const key = `${span.service}\n${peer.name}`;
    const known = calls.get(key);
    if (known !== undefined) known.durations.add(span.durationMs, span.failed);
    else if (calls.size >= limits.maxCallsPerFrame) this.#onDropped(1);
    else {
      const durations = new Durations();
      durations.add(span.durationMs, span.failed);
      calls.set(key, { from: span.service, peer, durations });
    }
  }

  #secondOf(span: AppSpan, nowMs: number): Second {
    const now = Math.floor(nowMs / 1_000);
    const ended = Math.floor((span.startAt + span.durationMs) / 1_000);
    const second = ended > now || ended <= now - lateLimitS ? now : ended;
    const known = this.#seconds.get(second) ?? { requests: new Map(), calls: new Map() };
    this.#seconds.set(second, known);
    return known;
  }
}
