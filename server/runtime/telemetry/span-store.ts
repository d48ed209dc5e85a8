import type { SpanColumns } from "../../protocol/index.ts";
import { traceLevel } from "../../protocol/trace-level.ts";
import { SpanRing, type StoredSpan } from "./span-ring.ts";

const recentSpans = 40_000;
const calmSpans = 20_000;
/** One trace in 2³ is also kept for long: what is normal is learned from the calm of the last half hour. */
const calmLevel = 3;
const joinsKept = 20_000;
const aliasesKept = 5_000;
/** Levels are remembered by the half minute. */
const levelStepMs = 30_000;
const levelsKept = 80;

const server = 1;
const client = 2;
const producer = 3;
const consumer = 4;

/** Sampled spans, and what joining them teaches: which service answers behind an address, and who calls whom. */
export class SpanStore {
  readonly #recent = new SpanRing(recentSpans);
  readonly #calm = new SpanRing(calmSpans);
  /** `service\npeer` → the service that answered. */
  readonly #aliases = new Map<string, string>();
  readonly #clients = new Map<string, { readonly service: string; readonly peer: string }>();
  /** By the id of their parent. */
  readonly #servers = new Map<string, string>();
  /** Strictest sampling of any agent, by half minute. */
  readonly #levels = new Map<number, number>();
  readonly #onCall: (from: string, to: string, atMs: number) => void;

  constructor(onCall: (from: string, to: string, atMs: number) => void) {
    this.#onCall = onCall;
  }

  /** `atMs`: the frame's time by our clock. */
  take(node: string, columns: SpanColumns, atMs: number): void {
    const levels = columns.traces.map(traceLevel);
    for (let i = 0; i < columns.trace.length; i += 1) {
      const trace = columns.trace[i] as number;
      const span: StoredSpan = {
        traceId: columns.traces[trace] as string,
        id: columns.id[i] as string,
        parent: columns.parent[i] as string,
        node,
        service: columns.services[columns.service[i] as number] as string,
        op: columns.ops[columns.op[i] as number] as string,
        peer: columns.peers[columns.peer[i] as number]?.name ?? "",
        kind: columns.kind[i] as number,
        startAt: atMs + (columns.startUs[i] as number) / 1_000,
        durationUs: columns.durationUs[i] as number,
        failed: columns.error[i] === 1,
        level: levels[trace] as number,
      };
      this.#recent.add(span);
      if (span.level >= calmLevel) this.#calm.add(span);
      this.#join(span);
    }
    if (columns.trace.length > 0) this.#noteLevel(columns.level, atMs);
  }

  /** The service behind what a caller knows as `peer`; null while no span told. */
  resolve(service: string, peer: string): string | null {
    return this.#aliases.get(`${service}\n${peer}`) ?? null;
  }

  /** Spans of traces that every agent kept, of the last minutes. */
  recent(fromMs: number, toMs: number): StoredSpan[] {
    return this.#whole(this.#recent, fromMs, toMs);
  }

  /** A thinner sample that reaches back further. */
  calm(fromMs: number, toMs: number): StoredSpan[] {
    return this.#whole(this.#calm, fromMs, toMs);
  }

  trace(traceId: string): StoredSpan[] {
    const spans = this.#recent.ofTrace(traceId);
    return spans.length > 0 ? spans : this.#calm.ofTrace(traceId);
  }

  #whole(ring: SpanRing, fromMs: number, toMs: number): StoredSpan[] {
    const spans: StoredSpan[] = [];
    for (const span of ring.between(fromMs, toMs)) {
      const step = Math.floor(span.startAt / levelStepMs);
      const level = Math.max(this.#levels.get(step) ?? 0, this.#levels.get(step + 1) ?? 0);
      if (span.level >= level) spans.push(span);
    }
    return spans;
  }

  #noteLevel(level: number, atMs: number): void {
    const step = Math.floor(atMs / levelStepMs);
    this.#levels.set(step, Math.max(level, this.#levels.get(step) ?? 0));
    trim(this.#levels, levelsKept);
  }

  /** Children are exported before their parents as often as after them: whichever comes second makes the pair. */
  #join(span: StoredSpan): void {
    if (span.kind === client || span.kind === producer) {
      this.#clients.set(span.id, { service: span.service, peer: span.peer });
      trim(this.#clients, joinsKept);
      const callee = this.#servers.get(span.id);
      if (callee !== undefined) this.#learn(span.service, span.peer, callee, span.startAt);
    } else if ((span.kind === server || span.kind === consumer) && span.parent !== "") {
      this.#servers.set(span.parent, span.service);
      trim(this.#servers, joinsKept);
      const caller = this.#clients.get(span.parent);
      if (caller !== undefined) this.#learn(caller.service, caller.peer, span.service, span.startAt);
    }
  }

  #learn(caller: string, peer: string, callee: string, atMs: number): void {
    this.#onCall(caller, callee, atMs);
    if (peer === "") return;
    const key = `${caller}\n${peer}`;
    // Set anew, so that the oldest is the one that was not confirmed for longest.
    this.#aliases.delete(key);
    this.#aliases.set(key, callee);
    trim(this.#aliases, aliasesKept);
  }
}

/** Forgets the oldest entries beyond `limit`. */
export function trim<K>(map: Map<K, unknown>, limit: number): void {
  for (const key of map.keys()) {
    if (map.size <= limit) return;
    map.delete(key);
  }
}
