import { existsSync } from "node:fs";
import { join } from "node:path";
import type { PortAddress } from "../network/silent-ports.ts";
import type { NodePlan } from "../topology.ts";

/** The demo's Redis: a cluster of three masters and three replicas on three nodes, or a replica set of three. */

export const redisClusterName = "sessions";
export const redisSetName = "carts";

export interface RedisServerPlan extends PortAddress {
  readonly instance: string;
  readonly dir: string;
  readonly initialize: boolean;
}

export interface RedisNodePlan extends NodePlan {
  readonly redis: readonly RedisServerPlan[];
}

export type RedisShape = "cluster" | "replica-set";

const local = "127.0.0.1";
const names = ["redis-a", "redis-b", "redis-c"];
const zones = ["eu-a", "eu-b", "eu-c"];

/** Uses ports from `basePort + 60` to `basePort + 69`, and for the cluster's own bus those 10,000 above. */
export function planRedis(folder: string, basePort: number, server: PortAddress, shape: RedisShape): RedisNodePlan[] {
  return names.map((id, index) => {
    const home = join(folder, id);
    const server1 = plan(home, shape === "cluster" ? `${id}-1` : id, basePort + 64 + index, index === 0);
    // The replica of a master runs on the next node: losing one node loses no shard.
    const server2 = plan(home, `${id}-2`, basePort + 67 + index, false);
    return {
      id,
      zone: zones[index] ?? "eu-a",
      folder: home,
      agentHttp: { host: local, port: basePort + 60 + index },
      control: server,
      redis: shape === "cluster" ? [server1, server2] : [server1],
    };
  });
}

function plan(home: string, instance: string, port: number, initialize: boolean): RedisServerPlan {
  return { instance, host: local, port, dir: join(home, instance), initialize };
}

/** Masters first; then replicas so that each follows the master of the node before its own. */
export function inClusterOrder(nodes: readonly RedisNodePlan[]): readonly RedisServerPlan[] {
  const masters = nodes.flatMap((node) => node.redis.slice(0, 1));
  const replicas = nodes.flatMap((node) => node.redis.slice(1, 2));
  return [...masters, ...replicas.slice(1), ...replicas.slice(0, 1)];
}

/** Where `redis-server` is; null when it is not installed. */
export function findRedisBinaries(): string | null {
  const folders = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", ...(process.env.PATH ?? "").split(":")];
  return folders.find((dir) => dir !== "" && existsSync(join(dir, "redis-server"))) ?? null;
}
