import type { WorkloadReport } from "../../server/core/replication/status.ts";
import { type Credentials, Lane, type LaneEndpoint } from "./lane.ts";
import { Ledger } from "./ledger.ts";
import { WriteMeter } from "./meter.ts";

export interface WriterOptions extends Credentials {
  readonly name: string;
  readonly cluster: string;
  readonly table: string;
  readonly nodes: readonly LaneEndpoint[];
  readonly writesPerSecond: number;
  readonly ledgerPath: string | null;
}

export interface WriterHooks {
  nowMs(): number;
  wallMs(): number;
  onAcknowledged?(number: number, node: string, sentMs: number, atMs: number): void;
  /** Something a person would want to see at once: another primary, an outage's beginning or end, an audit's result. */
  onChange?(): void;
  onError?(node: string, error: Error): void;
}

/** An answer that takes longer makes the application look for another primary, while it still waits for this one. */
const patienceMs = 250;
/** After this long without an answer the connection is given up. */
const abandonMs = 1_500;
const pollMs = 10;
const reconnectQuietMs = 1_000;
const reconnectRacingMs = 40;
const reconnectLeavingMs = 250;
/** After a change of primary: soon, for whoever is watching, and again when the repair is over. */
const auditDelaysMs = [1_000, 4_000, 15_000];
const auditRetryMs = 1_000;
const auditPage = 20_000;

/**
 * The demo's application: numbered rows at a steady rate through whichever node is primary. It keeps one warm connection to each node. When the
 * active one fails or stays silent, all of them race, and the first that acknowledges a write becomes the active one.
 * Every acknowledged number is in the ledger, and after each change of primary all of them are looked for.
 */
export class Writer {
  readonly ledger: Ledger;
  readonly #meter = new WriteMeter();
  readonly #lanes: readonly Lane[];
  #active: Lane | null = null;
  #writingTo: string | null = null;
  #next = 1;
  #prepared = false;
  #preparing = false;
  #failed = 0;
  #lost: number | null = null;
  #auditedAt: number | null = null;
  /** Moments at which audits are due, earliest first. */
  #auditsDueMs: readonly number[] = [];
  #auditing = false;
  #nextSlotMs = 0;
  #wasAvailable = true;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly options: WriterOptions,
    private readonly hooks: WriterHooks,
  ) {
    this.ledger = new Ledger(options.ledgerPath);
    const onError = (node: string, error: Error) => this.#noteError(node, error);
    this.#lanes = options.nodes.map((node) => new Lane(node, options, options.table, () => hooks.nowMs(), onError));
  }

  start(): void {
    this.#nextSlotMs = this.hooks.nowMs();
    this.#timer = setInterval(() => this.#turn(), Math.min(pollMs, 1_000 / this.options.writesPerSecond));
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    for (const lane of this.#lanes) lane.drop();
    this.ledger.save();
  }

  report(): WorkloadReport {
    return {
      name: this.options.name,
      cluster: this.options.cluster,
      ...this.#meter.read(this.hooks.nowMs()),
      acknowledged: this.ledger.count,
      failed: this.#failed,
      lost: this.#lost,
      auditedAt: this.#auditedAt,
      writingTo: this.#writingTo,
    };
  }

  #turn(): void {
    const now = this.hooks.nowMs();
    this.#tendLanes(now);
    const active = this.#active;
    if (active !== null && (active.state !== "ready" || silentFor(active, now) > patienceMs)) this.#active = null;
    const due = this.#takeSlots(now);
    if (this.#active === null) {
      this.#failed += due;
      for (const lane of this.#lanes) if (lane.idle) void this.#race(lane);
    } else if (due > 0 && this.#active.idle) void this.#write(this.#active, due);
    this.#noteAvailability(now);
    const [auditDueMs] = this.#auditsDueMs;
    if (auditDueMs !== undefined && now >= auditDueMs && this.#active !== null) void this.#audit(this.#active);
  }

  /** Slots of the write grid that have come up. While a write is under way they wait, ten at the most. */
  #takeSlots(now: number): number {
    const intervalMs = 1_000 / this.options.writesPerSecond;
    const due = Math.floor((now - this.#nextSlotMs) / intervalMs) + 1;
    if (due <= 0) return 0;
    if (this.#active !== null && !this.#active.idle && due <= 10) return 0;
    this.#nextSlotMs += due * intervalMs;
    return Math.min(due, 10);
  }

  #tendLanes(now: number): void {
    const waitMs = this.#active === null ? reconnectRacingMs : reconnectQuietMs;
    for (const lane of this.#lanes) {
      if (lane.state === "ready" && silentFor(lane, now) > abandonMs) lane.drop();
      const restMs = lane.leaving ? Math.max(waitMs, reconnectLeavingMs) : waitMs;
      if (lane.state === "closed" && lane.sinceAttemptMs >= restMs) void lane.connect();
    }
  }

  async #race(lane: Lane): Promise<void> {
    if ((await lane.isPrimary()) !== true || !lane.idle) return;
    if (!this.#prepared && !(await this.#prepare(lane))) return;
    if (lane.idle) await this.#write(lane, 1);
  }

  /** Once: the table, and the first number that nobody has used. */
  async #prepare(lane: Lane): Promise<boolean> {
    if (this.#preparing) return false;
    this.#preparing = true;
    try {
      if (!(await lane.prepareTable())) return false;
      const highest = await lane.highest();
      if (highest === null) return false;
      this.#next = Math.max(this.#next, highest, this.ledger.highest) + 1;
      this.#prepared = true;
      return true;
    } finally {
      this.#preparing = false;
    }
  }

  async #write(lane: Lane, count: number): Promise<void> {
    for (let written = 0; written < count && lane.idle; written += 1) {
      const number = this.#next++;
      const startedMs = this.hooks.nowMs();
      const outcome = await lane.write(number);
      if (outcome?.kind !== "acknowledged") {
        this.#failed += 1;
        if (outcome !== null) this.#noteError(lane.node, new Error(outcome.warning));
        if (this.#active === lane) this.#active = null;
        return;
      }
      this.#acknowledge(number, lane, startedMs);
    }
  }

  #acknowledge(number: number, lane: Lane, startedMs: number): void {
    const now = this.hooks.nowMs();
    this.ledger.acknowledge(number);
    this.hooks.onAcknowledged?.(number, lane.node, startedMs, now);
    const ended = this.#meter.acknowledge(now, this.hooks.wallMs(), now - startedMs);
    this.#active ??= lane;
    const moved = this.#writingTo !== null && this.#writingTo !== this.#active.node;
    this.#writingTo = this.#active.node;
    if (moved) this.#auditsDueMs = auditDelaysMs.map((delayMs) => now + delayMs);
    if (moved || ended !== null) this.hooks.onChange?.();
  }

  #noteAvailability(now: number): void {
    const available = this.#meter.read(now).unavailableForMs === 0;
    if (available !== this.#wasAvailable) this.hooks.onChange?.();
    this.#wasAvailable = available;
  }

  /** Looks for every acknowledged number on the primary. An audit that could not finish is taken up again. */
  async #audit(active: Lane): Promise<void> {
    if (this.#auditing) return;
    this.#auditing = true;
    const [due, ...later] = this.#auditsDueMs;
    this.#auditsDueMs = later;
    let done = false;
    const lane = new Lane(
      active.endpoint,
      this.options,
      this.options.table,
      () => this.hooks.nowMs(),
      () => undefined,
    );
    try {
      const upTo = this.ledger.highest;
      await lane.connect();
      const present: number[] = [];
      for (let from = 1; from <= upTo; from += auditPage) {
        const page = await lane.numbers(from, Math.min(upTo, from + auditPage - 1));
        if (page === null || this.#active?.node !== active.node) return;
        present.push(...page);
      }
      this.#lost = this.ledger.missing(present, upTo).length;
      this.#auditedAt = this.hooks.wallMs();
      done = true;
      this.hooks.onChange?.();
    } finally {
      lane.drop();
      this.#auditing = false;
      // A change of primary meanwhile has made a new schedule.
      if (!done && due !== undefined && this.#auditsDueMs === later) {
        this.#auditsDueMs = [this.hooks.nowMs() + auditRetryMs, ...later];
      }
    }
  }

  #noteError(node: string, error: Error): void {
    this.hooks.onError?.(node, error);
  }
}

function silentFor(lane: Lane, now: number): number {
  return lane.busySinceMs === null ? 0 : now - lane.busySinceMs;
}
