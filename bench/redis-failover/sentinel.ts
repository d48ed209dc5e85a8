import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RedisConnection } from "../../agents/drivers/redis/link.ts";
import type { PortAddress } from "../../demo/network/silent-ports.ts";
import { pollUntil } from "../../demo/poll.ts";
import type { Contender } from "./main.ts";

const local = "127.0.0.1";
const masterName = "carts";
/** As its documentation advises, with the shortest time that does not fail over on a healthy machine. */
const downAfterMs = 1_000;

/** Three servers under three Sentinels, with the same settings as ours have. */
export class SentinelSet implements Contender {
  readonly servers: readonly PortAddress[];
  readonly #binDir: string;
  readonly #folder: string;
  readonly #sentinels: readonly PortAddress[];
  readonly #children = new Map<number, ChildProcess>();

  private constructor(binDir: string, folder: string, basePort: number) {
    this.#binDir = binDir;
    this.#folder = folder;
    this.servers = [0, 1, 2].map((index) => ({ host: local, port: basePort + index }));
    this.#sentinels = [0, 1, 2].map((index) => ({ host: local, port: basePort + 3 + index }));
  }

  static async start(binDir: string, folder: string, basePort: number): Promise<SentinelSet> {
    const set = new SentinelSet(binDir, folder, basePort);
    const [first] = set.servers;
    if (first === undefined) throw new Error("invariant: three servers");
    for (const server of set.servers) set.#startServer(server, server === first ? null : first);
    await pollUntil("The servers under Sentinel", 20_000, async () => (await set.#countFollowers(first)) === 2 || null);
    for (const sentinel of set.#sentinels) set.#startSentinel(sentinel, first);
    await pollUntil("Three Sentinels that know each other", 20_000, async () => {
      const answer = await ask<unknown[]>(set.#sentinels[0] as PortAddress, "SENTINEL", "SENTINELS", masterName);
      return answer.length === 2 ? true : null;
    });
    return set;
  }

  async findMaster(): Promise<PortAddress> {
    return pollUntil("Sentinel's master", 20_000, async () => {
      const [host, port] = await ask<string[]>(
        this.#sentinels[0] as PortAddress,
        "SENTINEL",
        "GET-MASTER-ADDR-BY-NAME",
        masterName,
      );
      return host === undefined ? null : { host, port: Number(port) };
    });
  }

  kill(master: PortAddress): void {
    this.#children.get(master.port)?.kill("SIGKILL");
  }

  freeze(master: PortAddress): void {
    this.#children.get(master.port)?.kill("SIGSTOP");
  }

  thaw(master: PortAddress): void {
    this.#children.get(master.port)?.kill("SIGCONT");
  }

  async restore(master: PortAddress): Promise<void> {
    const child = this.#children.get(master.port);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) this.#startServer(master, null);
    const current = await this.findMaster();
    await pollUntil("Replicas under Sentinel", 60_000, async () =>
      (await this.#countFollowers(current)) === 2 ? true : null,
    );
  }

  stop(): void {
    for (const child of this.#children.values()) {
      child.kill("SIGCONT");
      child.kill("SIGKILL");
    }
  }

  #startServer(server: PortAddress, master: PortAddress | null): void {
    const dir = join(this.#folder, `${server.port}`);
    mkdirSync(dir, { recursive: true });
    const settings: Record<string, string> = {
      port: `${server.port}`,
      bind: local,
      dir,
      appendonly: "yes",
      "min-replicas-to-write": "1",
      "min-replicas-max-lag": "1",
      "repl-ping-replica-period": "1",
      "repl-diskless-sync-delay": "0",
      ...(master === null ? {} : { replicaof: `${master.host} ${master.port}` }),
    };
    this.#spawn(server.port, [], settings, dir);
  }

  #startSentinel(sentinel: PortAddress, master: PortAddress): void {
    const dir = join(this.#folder, `${sentinel.port}`);
    mkdirSync(dir, { recursive: true });
    const lines = [
      `port ${sentinel.port}`,
      `bind ${local}`,
      `dir ${dir}`,
      `sentinel monitor ${masterName} ${master.host} ${master.port} 2`,
      `sentinel down-after-milliseconds ${masterName} ${downAfterMs}`,
      `sentinel failover-timeout ${masterName} 5000`,
    ];
    const path = join(dir, "sentinel.conf");
    writeFileSync(path, `${lines.join("\n")}\n`);
    this.#spawn(sentinel.port, [path, "--sentinel"], {}, dir);
  }

  #spawn(port: number, args: readonly string[], settings: Readonly<Record<string, string>>, cwd: string): void {
    const options = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, ...value.split(" ")]);
    const child = spawn(join(this.#binDir, "redis-server"), [...args, ...options], { stdio: "ignore", cwd });
    this.#children.set(port, child);
  }

  async #countFollowers(master: PortAddress): Promise<number> {
    const info = await ask<string>(master, "INFO", "replication");
    return [...info.matchAll(/^slave\d+:.*state=online/gm)].length;
  }
}

async function ask<T>(server: PortAddress, command: string, ...args: string[]): Promise<T> {
  const connection = new RedisConnection({ ...server, user: null, password: null });
  try {
    return await connection.call<T>(1_000, command, ...args);
  } finally {
    connection.drop();
  }
}
