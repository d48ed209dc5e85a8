import type { ErrorTrace } from "../../server/protocol/index.ts";

/** Kinds of error told apart within one period; what comes on top is counted by service and type alone. */
const kindsLimit = 500;
/** The most that a record says of one kind; a second brings no more in earnest. */
const mostCounted = 1_000_000_000;
const coarseLimit = 200;

export interface ErrorCounterOptions {
  readonly periodMs: number;
  /** Resolves when the record would survive a power cut. */
  store(trace: ErrorTrace, at: number): Promise<void>;
  onDropped(count: number): void;
}

interface Counted {
  readonly trace: ErrorTrace;
  count: number;
}

/**
 * Errors on their way to the spool: those that are alike within a period become one record with their number. A thousand errors a second
 * of one kind cost one record a second, and every one of them is counted.
 */
export class ErrorCounter {
  readonly #options: ErrorCounterOptions;
  #kinds = new Map<string, Counted>();
  #timer: NodeJS.Timeout | null = null;
  #written: Promise<void> = Promise.resolve();
  #settle: () => void = () => undefined;
  #failed: unknown = null;

  constructor(options: ErrorCounterOptions) {
    this.#options = options;
  }

  /** Resolves when all of the period's records are durable; rejects when they could not be stored. */
  add(traces: readonly ErrorTrace[]): Promise<void> {
    if (traces.length === 0) return Promise.resolve();
    for (const trace of traces) this.#count(trace);
    if (this.#timer === null) {
      this.#timer = setTimeout(() => void this.flush(), this.#options.periodMs);
      this.#written = new Promise((resolve) => {
        this.#settle = resolve;
      });
    }
    return this.#written.then(() => {
      if (this.#failed !== null) throw this.#failed;
    });
  }

  /** Writes what was counted, now. */
  async flush(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const kinds = this.#kinds;
    const settle = this.#settle;
    this.#kinds = new Map();
    const at = Date.now();
    const records = [...kinds.values()];
    const results = await Promise.allSettled(
      records.map(({ trace, count }) => this.#options.store({ ...trace, count }, at)),
    );
    this.#failed = null;
    results.forEach((result, index) => {
      if (result.status === "fulfilled") return;
      this.#failed = result.reason;
      this.#options.onDropped(records[index]?.count ?? 0);
    });
    settle();
  }

  #count(trace: ErrorTrace): void {
    const key = keyOf(trace);
    const known = this.#kinds.get(key);
    if (known !== undefined) {
      known.count = Math.min(mostCounted, known.count + trace.count);
      return;
    }
    if (this.#kinds.size < kindsLimit) {
      this.#kinds.set(key, { trace, count: trace.count });
      return;
    }
    const coarse = JSON.stringify([trace.service, trace.type]);
    const counted = this.#kinds.get(coarse);
    if (counted !== undefined) counted.count = Math.min(mostCounted, counted.count + trace.count);
    else if (this.#kinds.size < kindsLimit + coarseLimit) {
      this.#kinds.set(coarse, {
        trace: { ...trace, frames: [], message: "(more kinds of this error than are told apart)", traceId: null },
        count: trace.count,
      });
    } else this.#options.onDropped(trace.count);
  }
}

/** At least as fine as the control plane's own grouping: where errors were thrown, or what they said but for its variable parts. */
function keyOf({ service, language, type, message, frames }: ErrorTrace): string {
  const where = frames.map((frame) => `${frame.function}@${frame.file}:${frame.line}`);
  return JSON.stringify([service, language, type, where.length > 0 ? where : maskNumbers(message)]);
}

/** Only what every grouping would leave out. */
function maskNumbers(message: string): string {
  return message.replace(/\d+/g, "#");
}
