import type { AgentIntake } from "../ports/agent-link.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import type { ReceivedRecords, RecordsAckFrame } from "../protocol/index.ts";

/** `records` frames waiting for the store; an agent waits for its acknowledgements long before. */
const waitingLimit = 16;
const retryMs = 1_000;

export interface RecordsQueueParts {
  readonly store: Pick<Store, "appliedRecords" | "applyRecords">;
  readonly intake: Pick<AgentIntake, "post">;
  readonly clock: Clock;
  /** Milliseconds to wait before this many records of the node may be stored. */
  reserveRecords(node: string, count: number): number;
  isLive(): boolean;
  send(frame: RecordsAckFrame): void;
}

/** Spool records of one session on their way into the store: one frame after the other, in order, each acknowledged once it is stored. */
export class RecordsQueue {
  readonly #parts: RecordsQueueParts;
  #frames: ReceivedRecords[] = [];
  #busy = false;

  constructor(parts: RecordsQueueParts) {
    this.#parts = parts;
  }

  /** False when too many wait already. */
  add(node: string, frame: ReceivedRecords): boolean {
    if (this.#frames.length >= waitingLimit) return false;
    this.#frames.push(frame);
    void this.#drain(node);
    return true;
  }

  clear(): void {
    this.#frames = [];
  }

  /** What the store can't take now is tried again as long as the session lives. */
  async #drain(node: string): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#frames.length > 0 && this.#parts.isLive()) {
      const frame = this.#frames[0] as ReceivedRecords;
      // Nothing is lost by waiting: what is not acknowledged stays in the agent's spool, and the agent sends no more.
      const waitMs = this.#parts.reserveRecords(node, Math.max(1, frame.records.length));
      if (waitMs > 0) await this.#pause(waitMs);
      await this.#applyUntilStored(node, frame);
      this.#frames.shift();
    }
    this.#busy = false;
  }

  async #applyUntilStored(node: string, frame: ReceivedRecords): Promise<void> {
    while (this.#parts.isLive()) {
      try {
        await this.#apply(node, frame);
        return;
      } catch {
        await this.#pause(retryMs);
      }
    }
  }

  async #apply(node: string, frame: ReceivedRecords): Promise<void> {
    const { store, intake, clock } = this.#parts;
    const before = await store.appliedRecords(node, frame.spoolId);
    const { spoolId, firstSeq, records, skipped } = frame;
    const upTo = await store.applyRecords(node, spoolId, firstSeq, records, clock.wallMs(), skipped ?? 0);
    records.forEach((record, index) => {
      const seq = firstSeq + index;
      if (record?.kind !== "signal" || seq <= before || seq > upTo) return;
      intake.post({ kind: "signal-recorded", node, code: record.code, nodeAt: record.at, data: record.data });
    });
    this.#parts.send({ t: "records-ack", spoolId, upTo });
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#parts.clock.setTimer(resolve, delayMs));
  }
}
