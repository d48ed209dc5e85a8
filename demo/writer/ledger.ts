import { appendFileSync, existsSync, readFileSync } from "node:fs";

/**
 * Which numbered writes were acknowledged: what the application may rely on. Kept in memory as one byte a number and on disk as ranges
 * (`12-40` a line), so that a restarted application can still audit what it was promised earlier.
 */
export class Ledger {
  #acknowledged = new Uint8Array(4096);
  #highest = 0;
  #count = 0;
  #unsaved: number[] = [];

  constructor(readonly path: string | null) {
    if (path !== null && existsSync(path)) this.#read(readFileSync(path, "utf8"));
  }

  get count(): number {
    return this.#count;
  }

  /** The highest number ever acknowledged; 0 when none. */
  get highest(): number {
    return this.#highest;
  }

  acknowledge(number: number): void {
    if (!this.#mark(number)) return;
    if (this.path !== null) this.#unsaved.push(number);
  }

  /** Writes what is new to disk. */
  save(): void {
    if (this.path === null || this.#unsaved.length === 0) return;
    appendFileSync(this.path, `${toRanges(this.#unsaved).join("\n")}\n`);
    this.#unsaved = [];
  }

  /** Acknowledged numbers up to `upTo` that are not among `present`. */
  missing(present: Iterable<number>, upTo: number): readonly number[] {
    const seen = new Uint8Array(upTo + 1);
    for (const number of present) if (number <= upTo) seen[number] = 1;
    const missing: number[] = [];
    for (let number = 1; number <= upTo; number += 1) {
      if (this.#acknowledged[number] === 1 && seen[number] === 0) missing.push(number);
    }
    return missing;
  }

  #mark(number: number): boolean {
    if (number >= this.#acknowledged.length) {
      const larger = new Uint8Array(Math.max(number + 1, this.#acknowledged.length * 2));
      larger.set(this.#acknowledged);
      this.#acknowledged = larger;
    }
    if (this.#acknowledged[number] === 1) return false;
    this.#acknowledged[number] = 1;
    this.#count += 1;
    this.#highest = Math.max(this.#highest, number);
    return true;
  }

  #read(text: string): void {
    for (const line of text.split("\n")) {
      // A last line torn by a crash is skipped: those writes are then merely not audited.
      const match = /^(\d+)-(\d+)$/.exec(line);
      if (match === null) continue;
      for (let number = Number(match[1]); number <= Number(match[2]); number += 1) this.#mark(number);
    }
  }
}

/** `[1, 2, 3, 7]` → `["1-3", "7-7"]`. */
export function toRanges(numbers: readonly number[]): readonly string[] {
  const sorted = [...numbers].sort((a, b) => a - b);
  const ranges: string[] = [];
  let from = sorted[0];
  for (const [index, number] of sorted.entries()) {
    if (sorted[index + 1] === number + 1) continue;
    ranges.push(`${from}-${number}`);
    from = sorted[index + 1];
  }
  return ranges;
}
