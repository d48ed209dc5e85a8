import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import type { ActionView, ClusterView, EntityView } from "../server/protocol/index.ts";
import { ensureEmbeddedBinaries } from "../server/store/embedded/binaries.ts";
import { writeAgentConfig } from "./agent-config.ts";
import type { ApiClient } from "./api-client.ts";
import { Application } from "./application.ts";
import { ControlPlaneProcess } from "./control-plane.ts";
import { DemoNode } from "./demo-node.ts";
import { FaultInjector } from "./faults.ts";
import { makeFolder } from "./folder.ts";
import { endLeftovers, noteProcesses } from "./leftovers.ts";
import { Fabric } from "./network/fabric.ts";
import { pollUntil } from "./poll.ts";
import { findTakenPort } from "./ports.ts";
import { DemoRedis } from "./redis/demo-redis.ts";
import { shopDatabase, shopServices } from "./shop/config.ts";
import { Shop } from "./shop/shop.ts";
import { ShopFaults } from "./shop/shop-faults.ts";
import { serveSupervisor } from "./supervisor-api.ts";
import { switchOver } from "./switchover.ts";
import { clusterName, listLinks, planTopology, type Topology } from "./topology.ts";

export interface DemoOptions {
  /** Of the checkout; `dist/` lies below it. */
  readonly root: string;
  readonly folder: string;
  readonly basePort: number;
  /** Keep the data of the last run. */
  readonly keep: boolean;
  readonly writesPerSecond: number;
  /** With a Redis Cluster beside PostgreSQL. */
  readonly redis?: boolean;
  /** False leaves the web shop out. */
  readonly shop?: boolean;
  /** Called with every write that the application got acknowledged; for measurements. */
  readonly onAcknowledged?: ConstructorParameters<typeof Application>[0]["onAcknowledged"];
  readonly say: (line: string) => void;
}

const clusterReadyMs = 180_000;

/** The whole demo: control plane, three PostgreSQL nodes, an application, the network between them, and its faults. */
export class Demo {
  readonly topology: Topology;
  readonly fabric = new Fabric();
  readonly postgres: readonly DemoNode[];
  readonly applicationNode: DemoNode;
  readonly controlPlane: ControlPlaneProcess;
  readonly application: Application;
  readonly shop: Shop;
  readonly shopFaults: ShopFaults;
  readonly faults: FaultInjector;
  readonly supervisorToken = randomBytes(24).toString("base64url");
  #redis: DemoRedis | null = null;
  #supervisor: Server | null = null;
  #startedMs = 0;

  constructor(private readonly options: DemoOptions) {
    this.topology = planTopology(options.folder, options.basePort);
    const agentScript = join(options.root, "dist", "agent.js");
    this.postgres = this.topology.postgres.map((plan) => new DemoNode(plan, agentScript));
    this.applicationNode = new DemoNode(this.topology.application, agentScript);
    this.controlPlane = new ControlPlaneProcess(this.topology, options.root, this.supervisorToken);
    this.application = new Application({
      script: join(options.root, "dist", "writer.js"),
      topology: this.topology,
      agentUrl: this.applicationNode.agentUrl,
      writesPerSecond: options.writesPerSecond,
      ...(options.onAcknowledged ? { onAcknowledged: options.onAcknowledged } : {}),
    });
    this.shop = new Shop({
      script: join(options.root, "dist", "shop.js"),
      topology: this.topology,
      findPrimary: () => this.findPrimary(),
      say: options.say,
    });
    this.shopFaults = new ShopFaults(this.shop);
    this.faults = new FaultInjector({
      shop: this.shopFaults,
      nodes: () => [...this.postgres, ...(this.#redis?.nodes ?? [])],
      applicationNode: this.applicationNode,
      fabric: this.fabric,
      findPrimary: () => this.findPrimary(),
      killControlPlane: () => this.controlPlane.kill(),
      controlPlaneRuns: () => this.controlPlane.pid !== null,
      startControlPlane: () => this.controlPlane.start(),
      switchOver: (target) => switchOver(this.api, target),
    });
  }

  get api(): ApiClient {
    return this.controlPlane.api;
  }

  get nodes(): readonly DemoNode[] {
    return [...this.postgres, this.applicationNode];
  }

  /** Those that have an agent of their own, Redis's included. */
  get allNodes(): readonly DemoNode[] {
    return [...this.nodes, ...(this.#redis?.nodes ?? [])];
  }

  /** Adds the Redis Cluster and its clients to the running demo; what runs already stays. @throws Error when Redis can't be installed here. */
  async startRedis(): Promise<void> {
    if (this.#redis !== null) return;
    const { root, basePort, keep, say } = this.options;
    this.#redis = new DemoRedis({
      topology: this.topology,
      basePort,
      agentScript: join(root, "dist", "agent.js"),
      keep,
    });
    await this.#redis.start(this.api, say);
    this.#note();
  }

  /** Brings everything up; resolves when the cluster is whole and the application writes. */
  async start(): Promise<void> {
    this.#startedMs = performance.now();
    const { say } = this.options;
    await this.#prepareFolder();
    const taken = await findTakenPort(this.topology);
    if (taken !== null) throw new Error(taken);
    const binaries = await ensureEmbeddedBinaries();
    for (const link of listLinks(this.topology)) await this.fabric.add(link);
    this.#supervisor = await this.#serve();
    say("Starting the control plane");
    await this.controlPlane.start();
    this.#note();
    say("Starting the agents of pg-a, pg-b, pg-c and app-1");
    const clients = this.topology.postgres.map(({ id, client }) => ({ node: id, ...client }));
    for (const node of this.nodes) {
      await writeAgentConfig(node, {
        api: this.api,
        binaries,
        keep: this.options.keep,
        clients,
        root: this.options.root,
        otlp: this.topology.otlp,
      });
      node.startAgent();
    }
    this.#note();
    say(
      `Building the PostgreSQL ${binaries.version} cluster "${clusterName}": one primary, two standbys cloned from it`,
    );
    await this.waitUntilWhole(clusterReadyMs);
    await this.application.start();
    this.#note();
    await this.application.waitForFirstWrite(clusterReadyMs);
    if (this.options.shop !== false) {
      say("Starting the web shop: gateway, orders, payments, cache");
      await this.shop.start();
      this.#note();
    }
    if (this.options.redis === true) await this.startRedis();
    say(`Everything runs (${((performance.now() - this.#startedMs) / 1000).toFixed(1)} s)`);
  }

  /** Ends every process, in the order in which nobody misses the other. */
  async stop(): Promise<void> {
    await Promise.all([this.application.stop(), this.shop.stop()]);
    await this.#redis?.stop();
    await Promise.all(this.nodes.map((node) => node.shutDown()));
    await this.controlPlane.stop();
    await this.fabric.close();
    await new Promise<void>((resolve) => {
      if (this.#supervisor === null) return resolve();
      this.#supervisor.close(() => resolve());
      this.#supervisor.closeAllConnections();
    });
    endLeftovers(this.topology.folder);
  }

  async cluster(): Promise<ClusterView> {
    return this.api.get<ClusterView>(`clusters/${clusterName}`);
  }

  /** Running actions and those of open incidents, oldest first. */
  async actions(): Promise<readonly ActionView[]> {
    const { entities } = await this.api.get<{ readonly entities: readonly EntityView[] }>("state");
    const actions = entities.filter((entity): entity is ActionView => entity.entity === "action");
    return actions.sort((a, b) => a.startedAt - b.startedAt);
  }

  /** One primary, the other two streaming and counted for durability, nothing under way. */
  async waitUntilWhole(withinMs: number): Promise<ClusterView> {
    return pollUntil("A whole cluster with two streaming standbys", withinMs, async () => {
      const cluster = await this.cluster();
      const standbys = cluster.members.filter((member) => member.role === "standby" && member.streaming && member.sync);
      const settled =
        cluster.openActionId === null && cluster.configuration?.members.length === this.postgres.length - 1;
      // Right after a start standbys may stream from a primary that is itself still in recovery.
      const isUp = cluster.members.some((member) => member.node === cluster.primary && member.role === "primary");
      if (isUp && standbys.length === this.postgres.length - 1 && settled) return cluster;
      const seen = cluster.members.map((member) => `${member.node} ${member.role ?? member.standing} ${member.state}`);
      throw new Error(seen.join(", ") || "no member has reported yet");
    });
  }

  /** By the agents themselves, so that it works without the control plane; by the control plane's record otherwise. */
  async findPrimary(): Promise<string | null> {
    const answers = await Promise.all(
      this.postgres.map(async (node) => {
        const response = await fetch(`${node.agentUrl}/primary`, { signal: AbortSignal.timeout(300) }).catch(
          () => null,
        );
        return response?.status === 200 ? node.id : null;
      }),
    );
    const found = answers.find((id) => id !== null);
    return found ?? (await this.cluster().catch(() => null))?.primary ?? null;
  }

  /** For `GET /state` of the supervisor. */
  readState(): Readonly<Record<string, unknown>> {
    return {
      url: this.controlPlane.url,
      faults: this.faults.active,
      cut: this.fabric.cutNodes,
      shop: this.shop.read(),
      load: this.shop.load.report(),
      nodes: this.nodes.map((node) => ({
        id: node.id,
        agentRuns: node.agentRuns,
        frozen: node.frozen,
        postgresProcesses: node.databasePids().length,
      })),
    };
  }

  async #prepareFolder(): Promise<void> {
    const { folder } = this.topology;
    const left = endLeftovers(folder);
    if (left > 0) this.options.say(`Ended ${left} processes that an earlier run had left behind`);
    this.shop.closeVolumes();
    if (!this.options.keep) rmSync(folder, { recursive: true, force: true });
    makeFolder(folder);
    for (const node of this.nodes) makeFolder(node.plan.folder);
    mkdirSync(this.topology.serverFolder, { recursive: true });
    chmodSync(this.topology.serverFolder, 0o755);
  }

  #serve(): Promise<Server> {
    return serveSupervisor(
      {
        token: this.supervisorToken,
        nodes: () => [
          ...this.postgres.map((node) => node.id),
          ...(this.#redis?.names ?? []),
          ...shopServices,
          shopDatabase,
        ],
        cause: async (request) => {
          const outcome = await this.faults.cause(request);
          this.#note();
          return outcome;
        },
        recover: (action, service) => this.shopFaults.recover(action, service),
        redis: async (action) => {
          if (action === "rest") return (await this.#redis?.rest()) ?? null;
          if (action === "start") await this.startRedis();
          else if (action !== "audit")
            throw new Error(`Redis: there is no ${action}; known are start, audit and rest.`);
          return (await this.#redis?.audit()) ?? null;
        },
        readState: async () => this.readState(),
      },
      this.topology.supervisor,
    );
  }

  /** Process ids for the next start, should this process be killed. */
  #note(): void {
    const pids = [...this.allNodes.map((node) => node.agentPid), this.controlPlane.pid, this.application.pid];
    const marks = [...this.allNodes.map((node) => node.configPath), "server.js", this.application.configPath];
    noteProcesses(this.topology.folder, [
      ...pids.flatMap((pid, index) => (pid === null ? [] : [{ pid, mark: marks[index] as string }])),
      ...this.shop.pids,
    ]);
  }
}

/** What the terminal's `break` command needs to reach the running demo. Readable by its owner only. */
export function writeRunning(path: string, demo: Demo): void {
  mkdirSync(join(path, ".."), { recursive: true });
  const { host, port } = demo.topology.supervisor;
  writeFileSync(path, JSON.stringify({ url: `http://${host}:${port}`, token: demo.supervisorToken }), { mode: 0o600 });
}
