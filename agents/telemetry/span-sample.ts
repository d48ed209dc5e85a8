import type { SpanColumns, SpanPeer } from "../../server/protocol/index.ts";
import { limits } from "../../server/protocol/limits.ts";
import { traceLevel } from "../../server/protocol/trace-level.ts";
import { jsonBytes, packedBytes } from "./pack-frames.ts";
import type { AppSpan } from "./span.ts";

const maxLevel = 20;
/** As many spans fit into a frame whatever they are called: names are short, though not in bytes. */
const fitAnyway = 100;
/** The level goes down only after so many quiet seconds: a short lull must not flood what follows. */
const calmSeconds = 10;

/**
 * Keeps whole traces, as many as the budget allows: a trace is kept by its id alone, so that every agent keeps the same ones. When more
 * comes, the level rises at once, and what is already held of the traces below it goes too.
 */
export class SpanSample {
  readonly #budget: number;
  readonly #onDropped: (count: number) => void;
  #level = 0;
  #held: { readonly span: AppSpan; readonly level: number }[] = [];
  #seen = 0;
  #calm = 0;

  /** `budget`: spans a second. `onDropped`: spans of traces that are kept, but too large. */
  constructor(budget: number, onDropped: (count: number) => void = () => undefined) {
    this.#budget = Math.min(budget, limits.maxSpansPerFrame);
    this.#onDropped = onDropped;
  }

  get level(): number {
    return this.#level;
  }

  keeps(traceId: string): boolean {
    return traceLevel(traceId) >= this.#level;
  }

  add(span: AppSpan): void {
    this.#seen += 1;
    const level = traceLevel(span.traceId);
    if (level < this.#level) return;
    this.#held.push({ span, level });
    // Exports come in batches of several seconds.
    while (this.#held.length > limits.maxSpansPerFrame && this.#level < maxLevel) this.#raise();
    this.#cutTo(limits.maxSpansPerFrame);
  }

  /** The spans held, and the level under which all of them were kept: what one frame takes. Called once a second. */
  take(nowMs: number): SpanColumns {
    const make = () => {
      const spans = this.#held.map(({ span }) => span);
      return toColumns(spans, this.#level, nowMs);
    };
    let columns = make();
    while (this.#held.length > fitAnyway && jsonBytes(columns) > packedBytes) {
      if (this.#level < maxLevel) this.#raise();
      else this.#cutTo(Math.floor(this.#held.length / 2));
      columns = make();
    }
    this.#held = [];
    this.#adapt();
    return columns;
  }

  #cutTo(count: number): void {
    const beyond = this.#held.length - count;
    if (beyond <= 0) return;
    this.#held.length = count;
    this.#onDropped(beyond);
  }

  #raise(): void {
    this.#level += 1;
    this.#calm = 0;
    this.#held = this.#held.filter(({ level }) => level >= this.#level);
  }

  #adapt(): void {
    const wanted = Math.max(0, Math.ceil(Math.log2(this.#seen / this.#budget)));
    this.#seen = 0;
    if (wanted >= this.#level) {
      this.#calm = 0;
      // One batch of several seconds is no load yet; twice the budget is.
      if (wanted > this.#level + 1) this.#level = Math.min(maxLevel, wanted - 1);
      return;
    }
    this.#calm += 1;
    if (this.#calm < calmSeconds) return;
    this.#calm = 0;
    this.#level -= 1;
  }
}

function toColumns(spans: readonly AppSpan[], level: number, nowMs: number): SpanColumns {
  const services = new Names();
  const ops = new Names();
  const traces = new Names();
  const peers = new Map<string, { readonly index: number; readonly peer: SpanPeer }>();
  const peerOf = (peer: SpanPeer | null): number => {
    if (peer === null) return -1;
    const known = peers.get(peer.name) ?? { index: peers.size, peer };
    peers.set(peer.name, known);
    return known.index;
  };
  const columns = {
    trace: spans.map((span) => traces.indexOf(span.traceId)),
    service: spans.map((span) => services.indexOf(span.service)),
    op: spans.map((span) => ops.indexOf(span.op)),
    peer: spans.map((span) => peerOf(span.peer)),
    id: spans.map((span) => span.id),
    parent: spans.map((span) => span.parent),
    kind: spans.map((span) => span.kind),
    startUs: spans.map((span) => Math.round((span.startAt - nowMs) * 1_000)),
    durationUs: spans.map((span) => Math.round(span.durationMs * 1_000)),
    error: spans.map((span) => (span.failed ? 1 : 0)),
  };
  const named = { services: services.list, ops: ops.list, traces: traces.list };
  return { level, ...named, peers: [...peers.values()].map(({ peer }) => peer), ...columns };
}

class Names {
  readonly list: string[] = [];
  readonly #indexes = new Map<string, number>();

  indexOf(name: string): number {
    const known = this.#indexes.get(name);
    if (known !== undefined) return known;
    this.#indexes.set(name, this.list.length);
    this.list.push(name);
    return this.list.length - 1;
  }
}
