/** One acknowledged write, as its client saw it. Moments by the machine's monotonic clock. */
export interface Acknowledged {
  readonly id: number;
  readonly node: string;
  /** When the statement was sent. */
  readonly sentMs: number;
  /** When the acknowledgement came in. */
  readonly atMs: number;
}

/** Acknowledgements in the order in which they came in. */
export class AcknowledgementLog {
  #entries: Acknowledged[] = [];
  #waiting: { readonly matches: (entry: Acknowledged) => boolean; readonly resolve: (entry: Acknowledged) => void }[] =
    [];

  get entries(): readonly Acknowledged[] {
    return this.#entries;
  }

  add(entry: Acknowledged): void {
    this.#entries.push(entry);
    const ready = this.#waiting.filter(({ matches }) => matches(entry));
    this.#waiting = this.#waiting.filter(({ matches }) => !matches(entry));
    for (const { resolve } of ready) resolve(entry);
  }

  /** The first entry, known already or still to come, that matches; null when none came within the time. */
  async find(matches: (entry: Acknowledged) => boolean, withinMs: number): Promise<Acknowledged | null> {
    const known = this.#entries.find(matches);
    if (known !== undefined) return known;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((each) => each.resolve !== settle);
        resolve(null);
      }, withinMs);
      const settle = (entry: Acknowledged) => {
        clearTimeout(timer);
        resolve(entry);
      };
      this.#waiting.push({ matches, resolve: settle });
    });
  }

  /** Drops entries that have been judged lost, so that each is counted once; the others are looked for again after later faults. */
  forget(entries: readonly Acknowledged[]): void {
    const gone = new Set(entries);
    if (gone.size > 0) this.#entries = this.#entries.filter((entry) => !gone.has(entry));
  }

  /** The longest time without an acknowledgement from `fromMs` to `toMs`. */
  longestGap(fromMs: number, toMs: number): number {
    let previous = fromMs;
    let longest = 0;
    for (const { atMs } of this.#entries) {
      if (atMs <= fromMs || atMs > toMs) continue;
      longest = Math.max(longest, atMs - previous);
      previous = atMs;
    }
    return Math.max(longest, toMs - previous);
  }
}

export interface SafetyVerdict {
  /** Acknowledged, and not on the final primary. */
  readonly lost: readonly Acknowledged[];
  /** Acknowledged by a deposed primary after the new one's first acknowledgement, and not held by the new one. */
  readonly double: readonly Acknowledged[];
}

/**
 * Judges one failover. `present` holds the ids found on the final primary. A double acknowledgement is a lost one too: some client was promised a
 * write that the surviving history does not hold.
 */
export function judgeSafety(
  entries: readonly Acknowledged[],
  present: ReadonlySet<number>,
  deposed: string | null,
  newFirstMs: number | null,
): SafetyVerdict {
  const lost = entries.filter((entry) => !present.has(entry.id));
  const double = lost.filter((entry) => newFirstMs !== null && entry.node === deposed && entry.atMs > newFirstMs);
  return { lost, double };
}
