import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

export interface Acknowledgement {
  readonly id: number;
  readonly node: string;
  readonly sentMs: number;
  readonly atMs: number;
}

/** What the witness was told by PostgreSQL, in the order of arrival. Times by the machine's monotonic clock. */
export class Ledger {
  readonly acknowledged: Acknowledgement[] = [];
  readonly errors: string[] = [];

  constructor(witness: ChildProcess) {
    if (witness.stdout === null) throw new Error("the witness has no standard output");
    createInterface({ input: witness.stdout }).on("line", (line) => this.#take(line));
  }

  #take(line: string): void {
    const [kind, id, node, sentMs, atMs] = line.split(" ");
    if (kind === "a")
      this.acknowledged.push({ id: Number(id), node: String(node), sentMs: Number(sentMs), atMs: Number(atMs) });
    else if (this.errors.length < 100_000) this.errors.push(line);
  }

  /** The first acknowledgement of a write sent after this moment, on one of these nodes. */
  firstSince(atMs: number, nodes: readonly string[]): Acknowledgement | undefined {
    let first: Acknowledgement | undefined;
    // They came in order: what was acknowledged before the moment was sent before it.
    for (let index = this.acknowledged.length - 1; index >= 0; index--) {
      const each = this.acknowledged[index] as Acknowledgement;
      if (each.atMs < atMs) break;
      if (each.sentMs >= atMs && nodes.includes(each.node)) first = each;
    }
    return first;
  }

  /** The longest pause between two acknowledgements, milliseconds. */
  longestGap(fromMs: number, toMs: number): number {
    const { beganMs, endedMs } = this.longestPause(fromMs, toMs);
    return endedMs - beganMs;
  }

  /** The longest pause within a span; one that has not ended yet ends with the span. */
  longestPause(fromMs: number, toMs: number): { readonly beganMs: number; readonly endedMs: number } {
    const times = this.acknowledged.map((each) => each.atMs).filter((atMs) => atMs >= fromMs - 1_000 && atMs <= toMs);
    if (Number.isFinite(toMs)) times.push(toMs);
    let longest = { beganMs: times[0] ?? fromMs, endedMs: times[0] ?? fromMs };
    for (let index = 1; index < times.length; index++) {
      const [beganMs, endedMs] = [times[index - 1] as number, times[index] as number];
      if (endedMs - beganMs > longest.endedMs - longest.beganMs) longest = { beganMs, endedMs };
    }
    return longest;
  }

  /** Drops what was judged, so that it is counted once. */
  forget(ids: ReadonlySet<number>): void {
    const kept = this.acknowledged.filter((each) => !ids.has(each.id));
    this.acknowledged.length = 0;
    for (const each of kept) this.acknowledged.push(each);
  }

  /**
   * Acknowledged (the first `upTo`) and not there. Double: acknowledged by a deposed primary after the new one had begun. Who was primary
   * before `sinceMs` is no matter there: nodes take turns.
   */
  judge(
    present: ReadonlySet<number>,
    upTo = this.acknowledged.length,
    sinceMs = Number.NEGATIVE_INFINITY,
  ): { readonly lost: number; readonly double: number; readonly missing: readonly number[] } {
    const firstOf = new Map<string, number>();
    const missing: number[] = [];
    let double = 0;
    for (const each of this.acknowledged.slice(0, upTo)) {
      if (each.atMs >= sinceMs && !firstOf.has(each.node)) firstOf.set(each.node, each.atMs);
      if (present.has(each.id)) continue;
      const newerBegan = this.acknowledged.some(
        (other) =>
          other.node !== each.node &&
          present.has(other.id) &&
          other.atMs < each.atMs &&
          other.sentMs > (firstOf.get(each.node) ?? 0),
      );
      if (newerBegan) double += 1;
      missing.push(each.id);
    }
    return { lost: missing.length, double, missing };
  }
}
