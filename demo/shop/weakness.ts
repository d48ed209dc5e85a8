import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { InnerFault } from "./config.ts";

/** What can go wrong inside one process of the shop. Everything here is done for real: time is burnt, memory kept, the volume filled. */

const slowByMs = 600;
const hogTurnMs = 320;
const hogBusyMs = 220;
const leakEveryMs = 100;
const leakedPerTurn = 4_000;
/** Of the kept receipts; about 250 MB, so that the demo never harms the machine. */
const leakLimit = 1_200_000;

interface Receipt {
  readonly number: number;
  readonly text: string;
}

export class Weaknesses {
  readonly #on = new Set<InnerFault>();
  #receipts: Receipt[] = [];
  #leak: NodeJS.Timeout | null = null;
  #hog: NodeJS.Timeout | null = null;

  constructor(private readonly volume: string) {}

  has(fault: InnerFault): boolean {
    return this.#on.has(fault);
  }

  switch(fault: InnerFault, on: boolean): void {
    if (this.#on.has(fault) === on) return;
    if (on) this.#on.add(fault);
    else this.#on.delete(fault);
    if (fault === "cpu") this.#switchHog(on);
    else if (fault === "leak") this.#switchLeak(on);
    else if (fault === "disk") this.#switchDisk(on);
  }

  /** Something this service needs answers late. */
  async delay(): Promise<void> {
    if (this.has("slow")) await new Promise((resolve) => setTimeout(resolve, slowByMs));
  }

  /** Looks whether this receipt was written before, among all that were kept. Kept ones should have been let go. */
  isRepeated(text: string): boolean {
    let found = false;
    const pattern = new RegExp(`paid with ${text}$`);
    for (const receipt of this.#receipts) if (pattern.test(receipt.text)) found = true;
    return found;
  }

  #switchHog(on: boolean): void {
    if (this.#hog !== null) clearInterval(this.#hog);
    this.#hog = on ? setInterval(burn, hogTurnMs) : null;
  }

  #switchLeak(on: boolean): void {
    if (this.#leak !== null) clearInterval(this.#leak);
    this.#leak = on ? setInterval(() => this.#keepReceipts(), leakEveryMs) : null;
    if (on) return;
    this.#receipts = [];
    collectGarbage();
  }

  #keepReceipts(): void {
    if (this.#receipts.length >= leakLimit) return;
    for (let index = 0; index < leakedPerTurn; index += 1) {
      const number = this.#receipts.length;
      this.#receipts.push({ number, text: `receipt ${number} of ${Math.random()} paid with card ${number % 977}` });
    }
  }

  /** Writes until the volume takes no more, or takes the filling away again. */
  #switchDisk(on: boolean): void {
    const path = join(this.volume, "core.dump");
    if (!on) return unlinkQuietly(path);
    const file = openSync(path, "w");
    try {
      for (let block = Buffer.alloc(65_536, 1); block.length >= 64; ) {
        try {
          writeSync(file, block);
        } catch {
          block = block.subarray(0, block.length / 4);
        }
      }
    } finally {
      closeSync(file);
    }
  }
}

/** Gives the memory back now: left to itself, V8 would keep it for long, and the next leak would hardly show. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

function burn(): void {
  const untilMs = performance.now() + hogBusyMs;
  while (performance.now() < untilMs);
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was not there.
  }
}
