import { Socket } from "node:net";
import type { PeerSight } from "../../server/core/index.ts";
import type { PeerAssignment } from "../../server/protocol/index.ts";
import { ProbeRecord } from "../shared/probe-record.ts";
import { Repeater } from "../shared/repeater.ts";
import { monotonicMs } from "../shared/time.ts";
import { classifyTcp, type SightReason } from "./prober.ts";

const intervalMs = 500;
const deadlineMs = 500;
/** SSLRequest: length 8, code 80877103. Source: PostgreSQL manual, "Message Formats". */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/**
 * Watches a peer without any account on it: a live PostgreSQL answers an SSLRequest with one byte before it asks who we are; a stopped one
 * accepts the connection and says nothing. Enough for a witness outside the cluster to tell a partition from a loss.
 */
export class GreetingProber {
  readonly assignment: PeerAssignment;
  readonly #onChange: () => void;
  readonly #record = new ProbeRecord();
  readonly #loop: Repeater;
  #responseMs: number | null = null;
  #stopped = false;

  constructor(assignment: PeerAssignment, onChange: () => void) {
    this.assignment = assignment;
    this.#onChange = onChange;
    this.#loop = new Repeater(intervalMs, () => this.#probe());
  }

  start(): void {
    this.#loop.start();
  }

  stop(): void {
    this.#stopped = true;
    this.#loop.stop();
  }

  read(nowMs: number): PeerSight {
    const { node, cluster } = this.assignment;
    const { known, ok } = this.#record;
    return {
      node,
      cluster,
      reach: known ? (ok ? "ok" : "failed") : "unknown",
      reason: known && !ok ? (this.#record.reason as SightReason) : null,
      failingForMs: this.#record.failingForMs(nowMs),
      responseMs: ok ? this.#responseMs : null,
      response: null,
    };
  }

  async #probe(): Promise<void> {
    const startedAt = monotonicMs();
    const { host, port } = this.assignment;
    const answered = await greet(host, port);
    if (this.#stopped) return;
    this.#responseMs = monotonicMs() - startedAt;
    if (answered) {
      if (this.#record.succeed(this.#responseMs)) this.#onChange();
      return;
    }
    // That it failed is news at once; why takes another moment.
    if (this.#record.ok && this.#record.fail("timeout", startedAt)) this.#onChange();
    const reason = await classifyTcp(host, port, deadlineMs);
    if (!this.#stopped && this.#record.fail(reason, startedAt)) this.#onChange();
  }
}

/** True when the server answers the greeting within the deadline. */
export function greet(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new Socket();
    const finish = (answered: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answered);
    };
    const timer = setTimeout(() => finish(false), deadlineMs);
    socket.once("connect", () => socket.write(sslRequest));
    socket.once("data", () => finish(true));
    socket.once("error", () => finish(false));
    socket.once("close", () => finish(false));
    socket.connect(port, host);
  });
}
