import type { ApiClient } from "../api-client.ts";
import type { DemoNode } from "../demo-node.ts";
import type { Topology } from "../topology.ts";
import { ClientLoad, type LoadOutcome } from "./client-load.ts";
import { RedisFleet } from "./fleet.ts";
import { ensureRedis } from "./install.ts";
import { findRedisBinaries, inClusterOrder, planRedis, type RedisNodePlan } from "./plan.ts";

const keys = 2_000;
const lanes = 2;

/** `--with redis`: a Redis Cluster of three masters and three replicas on three nodes, and clients that keep a ledger. */
export class DemoRedis {
  readonly #plans: readonly RedisNodePlan[];
  readonly #fleet: RedisFleet;
  #load: ClientLoad | null = null;

  constructor(options: {
    readonly topology: Topology;
    readonly basePort: number;
    readonly agentScript: string;
    readonly keep: boolean;
  }) {
    const { topology, basePort, agentScript, keep } = options;
    this.#plans = planRedis(topology.folder, basePort, topology.server, "cluster");
    this.#fleet = new RedisFleet({
      plans: this.#plans,
      shape: "cluster",
      binDir: () => findRedisBinaries() ?? "/usr/bin",
      agentScript,
      keep,
    });
  }

  get nodes(): readonly DemoNode[] {
    return this.#fleet.nodes;
  }

  /** What a fault may name: nodes, and single servers. */
  get names(): readonly string[] {
    return this.#plans.flatMap((plan) => [plan.id, ...plan.redis.map(({ instance }) => instance)]);
  }

  async start(api: ApiClient, say: (line: string) => void): Promise<void> {
    ensureRedis(say);
    say(`Building the Redis Cluster "${this.#fleet.cluster}": three masters, three replicas`);
    await this.#fleet.start(api);
    const servers = inClusterOrder(this.#plans).map(({ host, port }) => ({ host, port }));
    this.#load = new ClientLoad(servers, servers, keys);
    await this.#load.fill();
    this.#load.start(lanes);
  }

  /** What the clients' ledger has found since the last time somebody asked. Clients rest meanwhile. */
  async audit(): Promise<LoadOutcome | null> {
    const load = this.#load;
    if (load === null) return null;
    await load.stop();
    const outcome = await load.audit();
    load.start(lanes);
    return outcome;
  }

  /** The clients rest until somebody asks for their ledger. */
  async rest(): Promise<void> {
    await this.#load?.stop();
  }

  /** Says what the clients' ledger found in the end. */
  async stop(): Promise<void> {
    const load = this.#load;
    this.#load = null;
    if (load !== null) {
      await load.stop();
      const outcome = await load.audit().catch(() => null);
      load.close();
      if (outcome !== null) {
        const { operations, clientErrors, keysLost, keysDoubled } = outcome;
        console.log(
          `Redis clients: ${operations} operations, ${clientErrors} errors, ${keysLost} keys lost, ${keysDoubled} doubled.`,
        );
      }
    }
    await this.#fleet.stop();
  }
}
