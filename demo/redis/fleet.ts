import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { formCluster } from "../../agents/drivers/redis/form-cluster.ts";
import { RedisConnection } from "../../agents/drivers/redis/link.ts";
import type { RedisView } from "../../server/protocol/index.ts";
import type { ApiClient } from "../api-client.ts";
import { DemoNode } from "../demo-node.ts";
import { makeFolder } from "../folder.ts";
import { pollUntil } from "../poll.ts";
import { inClusterOrder, type RedisNodePlan, type RedisShape, redisClusterName, redisSetName } from "./plan.ts";

export interface RedisFleetOptions {
  readonly plans: readonly RedisNodePlan[];
  readonly shape: RedisShape;
  /** Asked when the first node is set up: Redis may be installed only then. */
  binDir(): string;
  readonly agentScript: string;
  /** Keep the data of the last run. */
  readonly keep: boolean;
  readonly settings?: Readonly<Record<string, string>>;
}

interface Enrolment {
  readonly token: string;
  readonly serverKey: string;
}

const readyMs = 60_000;

/** Three nodes with an agent each, which start the Redis servers beside them. */
export class RedisFleet {
  readonly nodes: readonly DemoNode[];
  readonly cluster: string;

  constructor(private readonly options: RedisFleetOptions) {
    this.nodes = options.plans.map((plan) => new DemoNode(plan, options.agentScript));
    this.cluster = options.shape === "cluster" ? redisClusterName : redisSetName;
  }

  async start(api: ApiClient): Promise<void> {
    for (const node of this.nodes) {
      makeFolder(node.plan.folder);
      await this.#configure(node, api);
      node.startAgent();
    }
    const servers = inClusterOrder(this.options.plans);
    await pollUntil("The Redis servers' start", readyMs, async () => {
      for (const server of servers) await ping(server);
      return true;
    });
    const fresh = !this.options.keep || !(await isFormed(servers[0] ?? { host: "", port: 0 }));
    if (this.options.shape === "cluster" && fresh) await formCluster(servers, this.nodes.length);
    await this.waitUntilWhole(api);
  }

  async waitUntilWhole(api: ApiClient, withinMs = readyMs): Promise<RedisView> {
    const expected = this.options.plans.reduce((sum, plan) => sum + plan.redis.length, 0);
    return pollUntil("A whole Redis cluster", withinMs, async () => {
      const view = await api.get<RedisView>(`redis/${this.cluster}`);
      const links = view.members.filter((member) => member.link?.status === "up").length;
      const masters = view.members.filter((member) => member.role === "master").length;
      if (view.state === "healthy" && links + masters === expected) return view;
      throw new Error(`${view.state}: ${view.reasons.map(({ code }) => code).join(", ")}`);
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.shutDown()));
  }

  async #configure(node: DemoNode, api: ApiClient): Promise<void> {
    const plan = node.plan as RedisNodePlan;
    const stateDir = join(plan.folder, "agent");
    const enrolled = this.options.keep && existsSync(stateDir);
    const enrolment = enrolled ? null : await api.post<Enrolment>("enrolment-tokens", { node: node.id });
    const settings = {
      "cluster-node-timeout": "2000",
      // A master that was emptied stays one, so that its slots can come back.
      "cluster-allow-replica-migration": "no",
      maxmemory: "64mb",
      ...this.options.settings,
    };
    const config = {
      node: node.id,
      zone: plan.zone,
      server: `ws://${plan.control.host}:${plan.control.port}`,
      ...(enrolment === null ? {} : { token: enrolment.token, serverKey: enrolment.serverKey }),
      stateDir,
      listen: plan.agentHttp,
      services: plan.redis.map(({ instance, host, port, dir, initialize }) => ({
        kind: "redis",
        cluster: this.cluster,
        instance,
        mode: this.options.shape,
        host,
        port,
        managed: { binDir: this.options.binDir(), dir, initialize, settings },
      })),
    };
    mkdirSync(plan.folder, { recursive: true });
    writeFileSync(node.configPath, stringify(config), { mode: 0o600 });
  }
}

async function ping(server: { readonly host: string; readonly port: number }): Promise<void> {
  const connection = new RedisConnection({ host: server.host, port: server.port, user: null, password: null });
  try {
    await connection.call(1_000, "PING");
  } finally {
    connection.drop();
  }
}

async function isFormed(server: { readonly host: string; readonly port: number }): Promise<boolean> {
  const connection = new RedisConnection({ host: server.host, port: server.port, user: null, password: null });
  try {
    return (await connection.call<string>(1_000, "CLUSTER", "NODES")).trim().split("\n").length > 1;
  } finally {
    connection.drop();
  }
}
