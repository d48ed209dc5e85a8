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
    return this.acknowledged.find((each) => each.sentMs >= atMs && nodes.includes(each.node));
  }

  /** The longest pause between two acknowledgements, milliseconds. */
  longestGap(fromMs: number, toMs: number): number {
    const times = this.acknowledged.map((each) => each.atMs).filter((atMs) => atMs >= fromMs - 1_000 && atMs <= toMs);
    if (Number.isFinite(toMs)) times.push(toMs);
    return times.reduce((most, atMs, index) => Math.max(most, index === 0 ? 0 : atMs - (times[index - 1] ?? atMs)), 0);
  }

  /** Acknowledged and not there. A late one was acknowledged by a deposed primary after the new one had begun. */
  judge(present: ReadonlySet<number>): { readonly lost: number; readonly double: number } {
    const firstOf = new Map<string, number>();
    let lost = 0;
    let double = 0;
    for (const each of this.acknowledged) {
      if (!firstOf.has(each.node)) firstOf.set(each.node, each.atMs);
      if (present.has(each.id)) continue;
      const newerBegan = this.acknowledged.some(
        (other) =>
          other.node !== each.node &&
          present.has(other.id) &&
          other.atMs < each.atMs &&
          other.sentMs > (firstOf.get(each.node) ?? 0),
      );
      if (newerBegan) double += 1;
      lost += 1;
    }
    return { lost, double };
  }
}
