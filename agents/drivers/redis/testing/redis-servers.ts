import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { poll } from "../../../shared/time.ts";
import { formCluster } from "../form-cluster.ts";
import { RedisConnection } from "../link.ts";

/** Real Redis servers for tests and measurements, on free ports of loopback. */

export const redisBinDir = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"].find((dir) =>
  existsSync(join(dir, "redis-server")),
);

/** Why a test of Redis is left out, for its title; null where Redis is installed. */
export const withoutRedis =
  redisBinDir === undefined ? "redis-server is not installed (Debian: apt-get install redis-server)" : null;

export interface RedisProcess {
  readonly port: number;
  readonly dir: string;
  readonly connection: RedisConnection;
  readonly child: ChildProcess;
}

/** A free port whose cluster bus port (10,000 above) is free as well. */
export async function findRedisPort(): Promise<number> {
  for (;;) {
    const port = await freePort(0);
    if (port < 55_000 && (await freePort(port + 10_000).catch(() => 0)) !== 0) return port;
    if (port >= 55_000) {
      const low = 20_000 + Math.floor(Math.random() * 20_000);
      if ((await freePort(low).catch(() => 0)) !== 0 && (await freePort(low + 10_000).catch(() => 0)) !== 0) return low;
    }
  }
}

function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(wanted, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** A folder that a server under another user may enter. */
export async function makeRedisFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-redis-"));
  await chmod(folder, 0o755);
  return folder;
}

export class RedisServers {
  readonly folder: string;
  readonly servers: RedisProcess[] = [];

  constructor(folder: string) {
    this.folder = folder;
  }

  async start(settings: Readonly<Record<string, string>> = {}): Promise<RedisProcess> {
    const port = await findRedisPort();
    const dir = join(this.folder, `${port}`);
    await mkdir(dir, { recursive: true });
    const args = { port: `${port}`, bind: "127.0.0.1", dir, save: "", ...settings };
    const child = spawn(
      join(redisBinDir ?? "", "redis-server"),
      Object.entries(args).flatMap(([key, value]) => [`--${key}`, value]),
      { stdio: "ignore" },
    );
    const connection = new RedisConnection({ host: "127.0.0.1", port, user: null, password: null });
    const server = { port, dir, connection, child };
    this.servers.push(server);
    const up = await poll(
      () =>
        connection.call(500, "PING").then(
          () => true,
          () => null,
        ),
      {
        intervalMs: 20,
        deadlineMs: 10_000,
      },
    );
    if (up === null) throw new Error(`redis-server did not answer on port ${port}`);
    return server;
  }

  /** Masters with even shares of the slots, and replicas of each. */
  async startCluster(masters: number, replicasEach: number, settings: Readonly<Record<string, string>> = {}) {
    const all: RedisProcess[] = [];
    for (let index = 0; index < masters * (1 + replicasEach); index += 1) {
      all.push(
        await this.start({ "cluster-enabled": "yes", "cluster-node-timeout": "1500", appendonly: "no", ...settings }),
      );
    }
    await formCluster(
      all.map(({ port }) => ({ host: "127.0.0.1", port })),
      masters,
    );
    return all;
  }

  async stop(): Promise<void> {
    for (const { connection, child } of this.servers) {
      connection.drop();
      child.kill("SIGKILL");
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
