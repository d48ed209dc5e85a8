import { Redis } from "ioredis";
import { RedisConnection } from "../../agents/drivers/redis/link.ts";
import type { PortAddress } from "../../demo/network/silent-ports.ts";

/** Writers with a ledger: every acknowledged key is looked for at the end. */

export interface Acknowledgement {
  readonly key: string;
  readonly atMs: number;
  readonly port: number;
}

const commandDeadlineMs = 400;
const waitMs = 250;
const pauseMs = 3;

/** Goes on with whichever server takes writes, as a client with a list of hosts does. `k` > 0: counts a write only when `WAIT k` says so. */
export class RovingWriter {
  readonly acknowledged: Acknowledgement[] = [];
  readonly #name: string;
  readonly #servers: readonly PortAddress[];
  readonly #k: number;
  #at = 0;
  #going = true;
  #work: Promise<void> | null = null;

  constructor(name: string, servers: readonly PortAddress[], k: number) {
    this.#name = name;
    this.#servers = servers;
    this.#k = k;
  }

  start(): void {
    this.#work = this.#run();
  }

  async stop(): Promise<void> {
    this.#going = false;
    await this.#work;
  }

  async #run(): Promise<void> {
    const connections = this.#servers.map((server) => new RedisConnection({ ...server, user: null, password: null }));
    for (let number = 0; this.#going; number += 1) {
      const connection = connections[this.#at] as RedisConnection;
      const key = `${this.#name}:${number}`;
      try {
        const [, confirmed] = await connection.all(commandDeadlineMs, [
          ["SET", key, "1"],
          ...(this.#k > 0 ? [["WAIT", this.#k, waitMs]] : [["PING"]]),
        ]);
        if (this.#k === 0 || Number(confirmed) >= this.#k)
          this.acknowledged.push({ key, atMs: performance.now(), port: connection.target.port });
      } catch {
        this.#at = (this.#at + 1) % connections.length;
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    for (const connection of connections) connection.drop();
  }
}

/**
 * Stays with the first master on an open connection and without any time limit, as many clients do: what a master that wakes up acknowledges
 * to it is what nobody else has.
 */
export class StayingWriter {
  readonly acknowledged: Acknowledgement[] = [];
  readonly #client: Redis;
  readonly #port: number;
  #going = true;

  constructor(
    private readonly name: string,
    server: PortAddress,
  ) {
    this.#port = server.port;
    this.#client = new Redis({ ...server, maxRetriesPerRequest: null, retryStrategy: () => null });
    this.#client.on("error", () => undefined);
  }

  start(): void {
    void this.#run();
  }

  stop(): void {
    this.#going = false;
    this.#client.disconnect();
  }

  async #run(): Promise<void> {
    for (let number = 0; this.#going; number += 1) {
      const key = `${this.name}:${number}`;
      try {
        await this.#client.set(key, "1");
        this.acknowledged.push({ key, atMs: performance.now(), port: this.#port });
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

/** How many of these keys the server has not. */
export async function countMissing(server: PortAddress, written: readonly Acknowledgement[]): Promise<number> {
  const connection = new RedisConnection({ ...server, user: null, password: null });
  let missing = 0;
  for (let from = 0; from < written.length; from += 500) {
    const batch = written.slice(from, from + 500);
    const found = await connection.all(
      10_000,
      batch.map(({ key }) => ["EXISTS", key]),
    );
    missing += found.filter((each) => Number(each) === 0).length;
  }
  connection.drop();
  return missing;
}
