import { NameTable } from "./name-table.ts";

export interface StoredSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parent: string;
  readonly node: string;
  readonly service: string;
  readonly op: string;
  /** Empty for none. */
  readonly peer: string;
  readonly kind: number;
  /** Unix milliseconds, with fractions. */
  readonly startAt: number;
  readonly durationUs: number;
  readonly failed: boolean;
  /** `traceLevel` of its trace. */
  readonly level: number;
}

const namesKept = 20_000;

/** The last `capacity` spans, in columns: a few dozen bytes each besides its ids. The oldest makes room. */
export class SpanRing {
  readonly #capacity: number;
  readonly #names = new NameTable(namesKept);
  readonly #traceIds: string[];
  readonly #ids: string[];
  readonly #parents: string[];
  readonly #node: Int32Array;
  readonly #service: Int32Array;
  readonly #op: Int32Array;
  readonly #peer: Int32Array;
  readonly #flags: Uint8Array;
  readonly #level: Uint8Array;
  readonly #startAt: Float64Array;
  readonly #durationUs: Float64Array;
  #next = 0;
  #count = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#traceIds = new Array<string>(capacity).fill("");
    this.#ids = new Array<string>(capacity).fill("");
    this.#parents = new Array<string>(capacity).fill("");
    this.#node = new Int32Array(capacity);
    this.#service = new Int32Array(capacity);
    this.#op = new Int32Array(capacity);
    this.#peer = new Int32Array(capacity);
    this.#flags = new Uint8Array(capacity);
    this.#level = new Uint8Array(capacity);
    this.#startAt = new Float64Array(capacity);
    this.#durationUs = new Float64Array(capacity);
  }

  get size(): number {
    return this.#count;
  }

  add(span: StoredSpan): void {
    if (this.#names.isFull) this.#sweep();
    const slot = this.#next;
    this.#traceIds[slot] = span.traceId;
    this.#ids[slot] = span.id;
    this.#parents[slot] = span.parent;
    this.#node[slot] = this.#names.idOf(span.node);
    this.#service[slot] = this.#names.idOf(span.service);
    this.#op[slot] = this.#names.idOf(span.op);
    this.#peer[slot] = span.peer === "" ? -1 : this.#names.idOf(span.peer);
    this.#flags[slot] = span.kind | (span.failed ? 8 : 0);
    this.#level[slot] = span.level;
    this.#startAt[slot] = span.startAt;
    this.#durationUs[slot] = span.durationUs;
    this.#next = (slot + 1) % this.#capacity;
    this.#count = Math.min(this.#capacity, this.#count + 1);
  }

  /** Spans that began within `[fromMs, toMs)`, in the order they came. */
  *between(fromMs: number, toMs: number): Generator<StoredSpan> {
    for (let i = 0; i < this.#count; i += 1) {
      const slot = (this.#next - this.#count + i + this.#capacity) % this.#capacity;
      const startAt = this.#startAt[slot] as number;
      if (startAt >= fromMs && startAt < toMs) yield this.#read(slot);
    }
  }

  ofTrace(traceId: string): StoredSpan[] {
    const found: StoredSpan[] = [];
    for (let slot = 0; slot < this.#count; slot += 1) {
      if (this.#traceIds[slot] === traceId) found.push(this.#read(slot));
    }
    return found;
  }

  #read(slot: number): StoredSpan {
    const flags = this.#flags[slot] as number;
    const peer = this.#peer[slot] as number;
    return {
      traceId: this.#traceIds[slot] as string,
      id: this.#ids[slot] as string,
      parent: this.#parents[slot] as string,
      node: this.#names.nameOf(this.#node[slot] as number),
      service: this.#names.nameOf(this.#service[slot] as number),
      op: this.#names.nameOf(this.#op[slot] as number),
      peer: peer < 0 ? "" : this.#names.nameOf(peer),
      kind: flags & 7,
      startAt: this.#startAt[slot] as number,
      durationUs: this.#durationUs[slot] as number,
      failed: (flags & 8) !== 0,
      level: this.#level[slot] as number,
    };
  }

  #sweep(): void {
    const used = new Set<number>();
    for (let slot = 0; slot < this.#count; slot += 1) {
      for (const column of [this.#node, this.#service, this.#op, this.#peer]) used.add(column[slot] as number);
    }
    this.#names.sweep((id) => used.has(id));
  }
}
