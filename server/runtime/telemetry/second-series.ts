/** Half an hour, a value a second. */
export const secondsKept = 1_800;

/**
 * Named columns of per-second values over the last half hour. A second may be written again and again until it is too old: late figures
 * are added. The newest second moves the window; columns are made when first written.
 */
export class SecondSeries {
  readonly #columns = new Map<string, Float32Array>();
  readonly #limit: number;
  #newest = 0;
  #oldest = Number.POSITIVE_INFINITY;

  constructor(columnLimit: number) {
    this.#limit = columnLimit;
  }

  get names(): readonly string[] {
    return [...this.#columns.keys()];
  }

  get newest(): number {
    return this.#newest;
  }

  /** First second that was ever written; infinite for none. */
  get oldest(): number {
    return Math.max(this.#oldest, this.#newest - secondsKept + 1);
  }

  add(name: string, second: number, value: number): void {
    this.#write(name, second, (before) => (Number.isNaN(before) ? value : before + value));
  }

  raise(name: string, second: number, value: number): void {
    this.#write(name, second, (before) => (Number.isNaN(before) ? value : Math.max(before, value)));
  }

  set(name: string, second: number, value: number): boolean {
    return this.#write(name, second, () => value);
  }

  /** NaN where nothing was written. */
  get(name: string, second: number): number {
    const column = this.#columns.get(name);
    if (column === undefined || second > this.#newest || second <= this.#newest - secondsKept) return Number.NaN;
    return column[second % secondsKept] as number;
  }

  /** The last value written within `withinS` seconds before `second`, that one included; NaN for none. */
  latest(name: string, second: number, withinS: number): number {
    for (let at = second; at > second - withinS; at -= 1) {
      const value = this.get(name, at);
      if (!Number.isNaN(value)) return value;
    }
    return Number.NaN;
  }

  #write(name: string, second: number, combine: (before: number) => number): boolean {
    if (second > this.#newest) this.#advance(second);
    if (second <= this.#newest - secondsKept) return false;
    this.#oldest = Math.min(this.#oldest, second);
    let column = this.#columns.get(name);
    if (column === undefined) {
      if (this.#columns.size >= this.#limit) return false;
      column = new Float32Array(secondsKept).fill(Number.NaN);
      this.#columns.set(name, column);
    }
    const slot = second % secondsKept;
    column[slot] = combine(column[slot] as number);
    return true;
  }

  #advance(second: number): void {
    const from = Math.max(this.#newest + 1, second - secondsKept + 1);
    for (const column of this.#columns.values()) {
      if (second - from + 1 >= secondsKept) column.fill(Number.NaN);
      else for (let at = from; at <= second; at += 1) column[at % secondsKept] = Number.NaN;
    }
    this.#newest = second;
  }
}
