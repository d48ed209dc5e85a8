import type { AgentFrame } from "../../server/protocol/index.ts";
import type { Spool } from "./spool.ts";

/** Sends the spool in order, one frame at a time: the next leaves when the last was acknowledged. */
export class SpoolSender {
  readonly #spool: Spool;
  readonly #send: (frame: AgentFrame) => boolean;
  #awaiting: number | null = null;
  #busy = false;

  constructor(spool: Spool, send: (frame: AgentFrame) => boolean) {
    this.#spool = spool;
    this.#send = send;
    spool.onDurable(() => void this.advance());
  }

  /** A new session: what was under way may be lost; the control plane says how far it has come. */
  async begin(recordsUpTo: number): Promise<void> {
    this.#awaiting = null;
    await this.#spool.acknowledge(recordsUpTo);
    await this.advance();
  }

  async acknowledged(spoolId: string, upTo: number): Promise<void> {
    if (spoolId !== this.#spool.id) return;
    if (this.#awaiting !== null && upTo >= this.#awaiting) this.#awaiting = null;
    await this.#spool.acknowledge(upTo);
    await this.advance();
  }

  async advance(): Promise<void> {
    if (this.#busy || this.#awaiting !== null) return;
    this.#busy = true;
    try {
      const frame = await this.#spool.read(this.#spool.acked);
      if (frame !== null && this.#send(frame)) this.#awaiting = frame.firstSeq + frame.records.length - 1;
    } finally {
      this.#busy = false;
    }
  }
}
