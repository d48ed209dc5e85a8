/** What a participant guards. Each operation is safe to repeat; the counters show what really happened. */
export class Resource {
  staged = false;
  applied = false;
  /** Units: free + reserved + used is always the whole. */
  free: number;
  reserved = 0;
  used = 0;
  readonly whole: number;
  readonly appliedAt: number[] = [];
  readonly undoneAt: number[] = [];

  constructor(units: number) {
    this.whole = units;
    this.free = units;
  }

  stage(): boolean {
    this.staged = true;
    return true;
  }

  apply(nowMs: number): boolean {
    if (!this.applied) this.appliedAt.push(nowMs);
    this.applied = true;
    this.staged = false;
    return true;
  }

  discard(): boolean {
    this.staged = false;
    return true;
  }

  undo(nowMs: number): boolean {
    if (this.applied) this.undoneAt.push(nowMs);
    this.applied = false;
    return true;
  }

  reserve(): boolean {
    if (this.reserved > 0 || this.used > 0) return true;
    if (this.free === 0) return false;
    this.free -= 1;
    this.reserved += 1;
    return true;
  }

  use(): boolean {
    if (this.reserved === 0) return this.used > 0;
    this.reserved -= 1;
    this.used += 1;
    return true;
  }

  release(): boolean {
    if (this.reserved === 0) return true;
    this.reserved -= 1;
    this.free += 1;
    return true;
  }

  /** Somebody else takes what is free. */
  sellOut(): void {
    this.free = 0;
  }
}
