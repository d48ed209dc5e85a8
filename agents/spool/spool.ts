import { type FileHandle, open, readdir, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { RecordsFrame, SpoolRecord } from "../../server/protocol/index.ts";
import { limits } from "../../server/protocol/limits.ts";
import { randomId } from "../fence/agent-state.ts";
import { makePrivateDirectory, readIfPresent, syncDirectory, writeDurably } from "../shared/durable-file.ts";
import { decodeSegment, encodeEntry, type SpoolEntry } from "./segment.ts";

export interface SpoolLimits {
  readonly maxBytes: number;
  readonly maxRecords: number;
}

interface Segment {
  readonly firstSeq: number;
  lastSeq: number;
  bytes: number;
  records: number;
}

const segmentBytes = 512 * 1024;
const frameBytes = 160 * 1024;
/** Records not yet on disk; beyond it a caller is told so. */
const maxUnwritten = 5_000;

/**
 * Durable, bounded queue of records for the control plane: append-only segment files, one fsync a batch. Every record has a number; the
 * control plane acknowledges up to a number, and applies each at most once. Over its bound, the oldest traces go first, and a record says how many.
 */
export class Spool {
  readonly id: string;
  readonly #directory: string;
  readonly #limits: SpoolLimits;
  #segments: Segment[];
  #nextSeq: number;
  #acked: number;
  #unwritten: SpoolEntry[] = [];
  #active: FileHandle | null = null;
  #work: Promise<void> = Promise.resolve();
  #flush: Promise<void> | null = null;
  #onDurable: () => void = () => undefined;

  private constructor(directory: string, id: string, options: SpoolLimits, segments: Segment[], acked: number) {
    this.id = id;
    this.#directory = directory;
    this.#limits = options;
    this.#segments = segments;
    this.#acked = acked;
    this.#nextSeq = Math.max(acked, segments.at(-1)?.lastSeq ?? 0) + 1;
  }

  /** Opens or makes the spool. A torn last record is cut off. */
  static async open(stateDir: string, options: SpoolLimits): Promise<Spool> {
    const directory = join(stateDir, "spool");
    await makePrivateDirectory(directory);
    const id = await readOrCreateId(directory);
    const acked = Number((await readIfPresent(join(directory, "acked"))) ?? 0) || 0;
    const segments: Segment[] = [];
    for (const name of (await readdir(directory)).filter((item) => /^\d{15}\.log$/.test(item)).sort()) {
      const path = join(directory, name);
      const text = (await readIfPresent(path)) ?? "";
      const { entries, wholeBytes } = decodeSegment(text);
      if (wholeBytes < Buffer.byteLength(text)) await truncate(path, wholeBytes);
      const firstSeq = Number(name.slice(0, 15));
      segments.push({
        firstSeq,
        lastSeq: entries.at(-1)?.seq ?? firstSeq - 1,
        bytes: wholeBytes,
        records: entries.length,
      });
    }
    const spool = new Spool(directory, id, options, segments, acked);
    await spool.#forgetAcked();
    return spool;
  }

  /** Called after records became durable: now they may be sent. */
  onDurable(listener: () => void): void {
    this.#onDurable = listener;
  }

  get pending(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.records, 0) + this.#unwritten.length;
  }

  get acked(): number {
    return this.#acked;
  }

  /** Resolves when the record would survive a power cut. @throws Error when too much waits for the disk. */
  append(record: SpoolRecord): Promise<void> {
    if (this.#unwritten.length >= maxUnwritten) return Promise.reject(new Error("the spool's disk does not keep up"));
    this.#unwritten.push({ seq: this.#nextSeq, record });
    this.#nextSeq += 1;
    this.#flush ??= this.#enqueue(async () => {
      this.#flush = null;
      await this.#write();
    });
    return this.#flush;
  }

  /** Records above `afterSeq` that fit into one frame, consecutive numbers only; null when there are none. */
  async read(afterSeq: number): Promise<RecordsFrame | null> {
    const from = Math.max(afterSeq, this.#acked);
    const segment = this.#segments.find((item) => item.lastSeq > from && item.records > 0);
    if (segment === undefined) return null;
    const { entries } = decodeSegment((await readIfPresent(this.#path(segment))) ?? "");
    const records: SpoolRecord[] = [];
    let firstSeq = 0;
    let bytes = 0;
    for (const entry of entries) {
      if (entry.seq <= from) continue;
      if (records.length === 0) firstSeq = entry.seq;
      bytes += JSON.stringify(entry.record).length * 2;
      const fits = records.length === 0 || (bytes <= frameBytes && records.length < limits.maxRecordsPerFrame);
      if (!fits || entry.seq !== firstSeq + records.length) break;
      records.push(entry.record);
    }
    return records.length === 0 ? null : { t: "records", spoolId: this.id, firstSeq, records };
  }

  /** The control plane has applied everything up to here. */
  acknowledge(upTo: number): Promise<void> {
    if (upTo <= this.#acked) return Promise.resolve();
    this.#acked = upTo;
    // A disk that went back in time would give out numbers again that are already applied.
    if (upTo >= this.#nextSeq) this.#nextSeq = upTo + 1;
    return this.#enqueue(async () => {
      await writeDurably(join(this.#directory, "acked"), String(this.#acked));
      await this.#forgetAcked();
    });
  }

  async close(): Promise<void> {
    await this.#work;
    await this.#active?.close();
    this.#active = null;
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => undefined);
    return done;
  }

  async #write(): Promise<void> {
    const batch = this.#unwritten;
    if (batch.length === 0) return;
    const [first] = batch;
    const text = batch.map(encodeEntry).join("");
    const segment = await this.#segmentFor(first?.seq ?? this.#nextSeq);
    try {
      await this.#active?.appendFile(text);
      await this.#active?.datasync();
    } catch (error) {
      // A full disk takes a part of a line: what is written behind it would never be read again.
      await this.#active?.truncate(segment.bytes).catch(() => undefined);
      throw error;
    }
    this.#unwritten = this.#unwritten.slice(batch.length);
    segment.lastSeq = batch.at(-1)?.seq ?? segment.lastSeq;
    segment.bytes += Buffer.byteLength(text);
    segment.records += batch.length;
    await this.#keepWithinBounds();
    this.#onDurable();
  }

  async #segmentFor(seq: number): Promise<Segment> {
    const last = this.#segments.at(-1);
    if (last !== undefined && this.#active !== null && last.bytes < segmentBytes) return last;
    await this.#active?.close();
    const segment: Segment = { firstSeq: seq, lastSeq: seq - 1, bytes: 0, records: 0 };
    this.#active = await open(this.#path(segment), "a", 0o600);
    await syncDirectory(this.#directory);
    this.#segments.push(segment);
    return segment;
  }

  async #forgetAcked(): Promise<void> {
    const active = this.#active === null ? null : this.#segments.at(-1);
    for (const segment of this.#segments) {
      if (segment.lastSeq > this.#acked || segment === active) continue;
      await rm(this.#path(segment), { force: true });
    }
    this.#segments = this.#segments.filter((segment) => segment.lastSeq > this.#acked || segment === active);
  }

  /** Drops traces of the oldest segment, then whole segments, until the bounds hold; the one being written stays. */
  async #keepWithinBounds(): Promise<void> {
    let traces = 0;
    let signals = 0;
    for (const keepSignals of [true, false]) {
      for (const segment of [...this.#segments.slice(0, -1)]) {
        if (!this.#isOver()) break;
        const { entries } = decodeSegment((await readIfPresent(this.#path(segment))) ?? "");
        const kept = keepSignals ? entries.filter((entry) => entry.record.kind === "signal") : [];
        const dropped = entries.length - kept.length;
        if (dropped === 0 && kept.length > 0) continue;
        const droppedTraces = entries.filter((entry) => entry.record.kind === "trace").length;
        traces += droppedTraces;
        signals += dropped - droppedTraces;
        await this.#rewrite(segment, kept);
      }
    }
    if (traces + signals > 0)
      void this.append({ kind: "signal", at: Date.now(), code: "spool-dropped", data: { traces, signals } });
  }

  #isOver(): boolean {
    const bytes = this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
    return bytes > this.#limits.maxBytes || this.pending > this.#limits.maxRecords;
  }

  async #rewrite(segment: Segment, kept: readonly SpoolEntry[]): Promise<void> {
    if (kept.length === 0) {
      await rm(this.#path(segment), { force: true });
      this.#segments = this.#segments.filter((item) => item !== segment);
      return;
    }
    const text = kept.map(encodeEntry).join("");
    await writeDurably(this.#path(segment), text);
    segment.bytes = Buffer.byteLength(text);
    segment.records = kept.length;
    segment.lastSeq = kept.at(-1)?.seq ?? segment.lastSeq;
  }

  #path(segment: Segment): string {
    return join(this.#directory, `${String(segment.firstSeq).padStart(15, "0")}.log`);
  }
}

async function readOrCreateId(directory: string): Promise<string> {
  const path = join(directory, "id");
  const existing = await readIfPresent(path);
  if (existing !== null && /^[0-9a-f]{32}$/.test(existing.trim())) return existing.trim();
  const id = randomId();
  await writeDurably(path, id);
  return id;
}
