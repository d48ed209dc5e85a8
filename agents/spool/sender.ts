import type { AgentFrame } from "../../server/protocol/index.ts";
import type { Spool } from "./spool.ts";

/** Sends the spool in order, one frame at a time: the next leaves when the last was acknowledged. */
export class SpoolSender {
  readonly #spool: Spool;
  readonly #send: (frame: AgentFrame) => boolean;
  #awaiting: number | null = null;
  /** How far the control plane says it has come: after a restore it may be behind what this disk remembers. */
  #applied = 0;
  #busy = false;
  #again = false;

  constructor(spool: Spool, send: (frame: AgentFrame) => boolean) {
    this.#spool = spool;
    this.#send = send;
    spool.onDurable(() => void this.advance());
  }

  /** A new session: what was under way may be lost; the control plane says how far it has come. */
  async begin(recordsUpTo: number): Promise<void> {
    this.#awaiting = null;
    this.#applied = recordsUpTo;
    await this.#spool.acknowledge(recordsUpTo);
    await this.advance();
  }

  async acknowledged(spoolId: string, upTo: number): Promise<void> {
    if (spoolId !== this.#spool.id) return;
    this.#applied = upTo;
    // Also when less was taken than was sent: the next frame goes out with what is missing, or says that it no longer has it.
    this.#awaiting = null;
    await this.#spool.acknowledge(upTo);
    await this.advance();
  }

  async advance(): Promise<void> {
    this.#again = true;
    if (this.#busy) return;
    this.#busy = true;
    try {
      // What became durable while the disk was read is looked at once more.
      while (this.#again && this.#awaiting === null) {
        this.#again = false;
        const frame = await this.#spool.read(this.#spool.acked);
        if (frame === null) continue;
        const skipped = frame.firstSeq - 1 - this.#applied;
        const last = frame.firstSeq + frame.records.length - 1;
        if (this.#send(skipped > 0 ? { ...frame, skipped } : frame)) this.#awaiting = last;
      }
    } finally {
      this.#busy = false;
    }
  }
}
