import type { LocalProbe } from "../../../server/core/index.ts";
import { classifyTcp } from "../../peers/prober.ts";
import { ProbeRecord } from "../../shared/probe-record.ts";
import { Repeater } from "../../shared/repeater.ts";
import { monotonicMs } from "../../shared/time.ts";
import { isReply, RedisConnection, type RedisTarget } from "./link.ts";

const intervalMs = 250;
const deadlineMs = 400;
const retryAfterCloseMs = 60;

/**
 * Whether this node reaches the master, over a connection that is kept open: when it closes, that is news at once. Redis itself would say so only
 * after `repl-timeout`.
 */
export class MasterProbe {
  readonly #onChange: () => void;
  readonly #loop = new Repeater(intervalMs, () => this.#probe());
  #record = new ProbeRecord();
  #connection: RedisConnection | null = null;
  #retry: NodeJS.Timeout | null = null;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Watches this master from now on; null: none. */
  aim(target: RedisTarget | null): void {
    const before = this.#connection?.target ?? null;
    if (before?.host === target?.host && before?.port === target?.port) return;
    this.#connection?.drop();
    this.#connection = null;
    this.#record = new ProbeRecord();
    if (target === null) {
      this.#loop.stop();
      return;
    }
    const connection = new RedisConnection(target, () => this.#closed(connection));
    this.#connection = connection;
    this.#loop.start();
    this.#loop.wake();
  }

  stop(): void {
    this.aim(null);
    if (this.#retry) clearTimeout(this.#retry);
  }

  read(nowMs: number): (LocalProbe & { readonly host: string; readonly port: number }) | null {
    const target = this.#connection?.target;
    if (target === undefined || !this.#record.known) return null;
    return { ...this.#record.read(nowMs), host: target.host, port: target.port };
  }

  async #probe(): Promise<void> {
    const connection = this.#connection;
    if (connection === null) return;
    const startedAt = monotonicMs();
    const record = this.#record;
    try {
      await connection.call(deadlineMs, "PING");
      if (record.succeed(monotonicMs() - startedAt)) this.#onChange();
    } catch (error) {
      if (this.#connection !== connection) return;
      // A server that says why it does not serve us (loading, no permission) is there.
      if (isReply(error)) {
        if (record.succeed(monotonicMs() - startedAt)) this.#onChange();
        return;
      }
      const { host, port } = connection.target;
      const reason = await classifyTcp(host, port, deadlineMs);
      if (this.#connection === connection && record.fail(reason, startedAt)) this.#onChange();
    }
  }

  #closed(connection: RedisConnection): void {
    if (this.#connection !== connection) return;
    if (this.#record.fail("closed", monotonicMs())) this.#onChange();
    this.#retry = setTimeout(() => this.#loop.wake(), retryAfterCloseMs);
  }
}
