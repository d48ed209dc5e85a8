import { Cluster } from "ioredis";
import { RedisConnection } from "../../agents/drivers/redis/link.ts";
import type { PortAddress } from "../network/silent-ports.ts";

/** Live clients of a Redis Cluster that keep a ledger: counters that only they raise, so a lost or doubled write shows in the sum. */

export interface LoadOutcome {
  readonly operations: number;
  readonly clientErrors: number;
  readonly firstErrors: readonly string[];
  /** Counters lower than what was acknowledged, or gone. */
  readonly keysLost: number;
  /** Counters higher than what was sent, and keys that are on two masters. */
  readonly keysDoubled: number;
  readonly worstMs: number;
}

const valueBytes = 120;

export class ClientLoad {
  readonly #client: Cluster;
  readonly #masters: readonly PortAddress[];
  readonly #keys: number;
  /** Acknowledged and sent raises of each counter: what lies between is unknown. */
  readonly #acknowledged: Uint32Array;
  readonly #sent: Uint32Array;
  readonly #errors: string[] = [];
  #operations = 0;
  #errorCount = 0;
  #worstMs = 0;
  #going = false;
  #lanes: Promise<void>[] = [];

  constructor(servers: readonly PortAddress[], masters: readonly PortAddress[], keys: number) {
    this.#client = new Cluster([...servers], { redisOptions: { commandTimeout: 10_000 } });
    this.#client.on("error", () => undefined);
    this.#masters = masters;
    this.#keys = keys;
    this.#acknowledged = new Uint32Array(keys);
    this.#sent = new Uint32Array(keys);
  }

  /** Writes every counter and a text beside it, once. */
  async fill(): Promise<void> {
    const text = "x".repeat(valueBytes);
    const step = 200;
    for (let from = 0; from < this.#keys; from += step) {
      const batch = Array.from({ length: Math.min(step, this.#keys - from) }, (_, index) => from + index);
      await Promise.all(
        batch.flatMap((key) => [this.#client.set(`text:${key}`, text), this.#client.set(`count:${key}`, "0")]),
      );
    }
  }

  start(lanes: number): void {
    this.#operations = 0;
    this.#errorCount = 0;
    this.#errors.length = 0;
    this.#worstMs = 0;
    this.#going = true;
    this.#lanes = Array.from({ length: lanes }, (_, lane) => this.#run(lane, lanes));
  }

  async stop(): Promise<void> {
    this.#going = false;
    await Promise.all(this.#lanes);
  }

  async #run(lane: number, lanes: number): Promise<void> {
    for (let turn = 0; this.#going; turn += 1) {
      const key = (turn * lanes * 7 + lane) % this.#keys;
      const startedAt = performance.now();
      try {
        if (turn % 2 === 0) {
          this.#sent[key] = (this.#sent[key] ?? 0) + 1;
          await this.#client.incr(`count:${key}`);
          this.#acknowledged[key] = (this.#acknowledged[key] ?? 0) + 1;
        } else if ((await this.#client.get(`text:${key}`)) === null) {
          this.#fail(`text:${key} was not found`);
        }
      } catch (error) {
        this.#fail((error as Error).message);
      }
      this.#operations += 1;
      this.#worstMs = Math.max(this.#worstMs, performance.now() - startedAt);
      // A moment for everybody else: the load must not be what is measured.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  #fail(message: string): void {
    this.#errorCount += 1;
    if (this.#errors.length < 5) this.#errors.push(message.slice(0, 120));
  }

  /** Reads everything back, and counts the keys on each master. */
  async audit(): Promise<LoadOutcome> {
    let lost = 0;
    let doubled = 0;
    const step = 500;
    for (let from = 0; from < this.#keys; from += step) {
      const batch = Array.from({ length: Math.min(step, this.#keys - from) }, (_, index) => from + index);
      const counts = await Promise.all(batch.map((key) => this.#client.get(`count:${key}`)));
      const texts = await Promise.all(batch.map((key) => this.#client.exists(`text:${key}`)));
      for (const [index, key] of batch.entries()) {
        const value = counts[index] === null ? -1 : Number(counts[index]);
        if (value < (this.#acknowledged[key] ?? 0)) lost += 1;
        if (value > (this.#sent[key] ?? 0)) doubled += 1;
        if (texts[index] !== 1) lost += 1;
        // What was sent and not answered is settled by what is there.
        this.#acknowledged[key] = this.#sent[key] = Math.max(0, value);
      }
    }
    doubled += Math.max(0, (await this.#countKeys()) - 2 * this.#keys);
    return {
      operations: this.#operations,
      clientErrors: this.#errorCount,
      firstErrors: [...this.#errors],
      keysLost: lost,
      keysDoubled: doubled,
      worstMs: Math.round(this.#worstMs),
    };
  }

  async #countKeys(): Promise<number> {
    let sum = 0;
    for (const { host, port } of this.#masters) {
      const connection = new RedisConnection({ host, port, user: null, password: null });
      const info = await connection.call<string>(5_000, "INFO", "replication").catch(() => "");
      if (info.includes("role:master")) sum += Number(await connection.call(5_000, "DBSIZE"));
      connection.drop();
    }
    return sum;
  }

  close(): void {
    this.#client.disconnect();
  }
}
