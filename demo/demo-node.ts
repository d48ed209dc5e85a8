import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { startChild, waitForEnd } from "./child.ts";
import { pricingService } from "./pricing/releases.ts";
import {
  findPostgresProcesses,
  findProcessesIn,
  findProgramProcesses,
  isAlive,
  signalAll,
  withDescendants,
} from "./processes.ts";
import type { RedisNodePlan } from "./redis/plan.ts";
import type { NodePlan, PostgresPlan } from "./topology.ts";

const stopGraceMs = 5_000;

/** One machine of the demo: its agent, what the agent started, and its PostgreSQL when it has one. */
export class DemoNode {
  #agent: ChildProcess | null = null;
  #stopped: readonly number[] = [];

  constructor(
    readonly plan: NodePlan | PostgresPlan | RedisNodePlan,
    private readonly agentScript: string,
  ) {}

  get id(): string {
    return this.plan.id;
  }

  /** Names of the Redis servers beside the agent. */
  get redisServers(): readonly string[] {
    return "redis" in this.plan ? this.plan.redis.map(({ instance }) => instance) : [];
  }

  get databaseName(): string {
    return this.redisServers.length > 0 ? "Redis" : "PostgreSQL";
  }

  get dataDir(): string | null {
    return "dataDir" in this.plan ? this.plan.dataDir : null;
  }

  get configPath(): string {
    return join(this.plan.folder, "agent.yaml");
  }

  get logPath(): string {
    return join(this.plan.folder, "agent.log");
  }

  get agentUrl(): string {
    return `http://${this.plan.agentHttp.host}:${this.plan.agentHttp.port}`;
  }

  get agentPid(): number | null {
    return this.agentRuns ? (this.#agent?.pid ?? null) : null;
  }

  get agentRuns(): boolean {
    return this.#agent !== null && this.#agent.exitCode === null && this.#agent.signalCode === null;
  }

  /** True while its processes are stopped by `freeze`. */
  get frozen(): boolean {
    return this.#stopped.length > 0;
  }

  startAgent(): void {
    if (this.agentRuns) return;
    this.#agent = startChild({
      name: this.id,
      args: [this.agentScript, "--config", this.configPath],
      logPath: this.logPath,
    });
  }

  /** Of the database beside the agent: PostgreSQL, or Redis (of one server only, when it is named). */
  databasePids(server: string | null = null): readonly number[] {
    if ("redis" in this.plan) {
      const servers = this.plan.redis.filter(({ instance }) => server === null || instance === server);
      return findProcessesIn(servers.map(({ dir }) => dir));
    }
    return this.dataDir === null ? [] : findPostgresProcesses(this.dataDir);
  }

  /** Of the plain service beside the agent; it outlives its agent by design. */
  #programPids(): readonly number[] {
    return this.dataDir === null ? [] : findProgramProcesses([join(this.plan.folder, pricingService)]);
  }

  /** The agent first, so that it can't tell of the others' end; then PostgreSQL and its children, and the plain service. */
  allPids(): readonly number[] {
    const agent = this.agentPid === null ? [] : withDescendants([this.agentPid]);
    return [...new Set([...agent, ...this.databasePids(), ...this.#programPids()])];
  }

  /** Every process of the node dies at once. Answers with how many. */
  kill(): number {
    return killUntilGone(() => this.allPids());
  }

  killDatabase(server: string | null = null): number {
    return killUntilGone(() => this.databasePids(server));
  }

  freeze(): number {
    return this.#stop(this.allPids());
  }

  freezeDatabase(server: string | null = null): number {
    return this.#stop(this.databasePids(server));
  }

  /** Continues what was stopped. */
  thaw(): void {
    signalAll(this.#stopped, "SIGCONT");
    this.#stopped = [];
  }

  /** Ends the node in order: the agent, then the plain service and PostgreSQL (both outlive their agent by design). */
  async shutDown(): Promise<void> {
    this.thaw();
    const agent = this.#agent;
    if (agent !== null && this.agentRuns) {
      agent.kill("SIGTERM");
      if (!(await waitForEnd(agent, stopGraceMs))) signalAll(withDescendants([agent.pid as number]), "SIGKILL");
    }
    killUntilGone(() => this.#programPids());
    const pids = this.databasePids();
    const [postmaster] = pids;
    if (postmaster === undefined) return;
    signalAll(this.redisServers.length > 0 ? pids : [postmaster], "SIGINT");
    const deadline = process.uptime() * 1000 + stopGraceMs;
    while (isAlive(postmaster) && process.uptime() * 1000 < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    this.killDatabase();
  }

  #stop(pids: readonly number[]): number {
    this.#stopped = [...this.#stopped, ...pids];
    return signalAll(pids, "SIGSTOP");
  }
}

/** A process may be forked between looking and killing; a few rounds catch it. */
function killUntilGone(find: () => readonly number[]): number {
  let killed = 0;
  for (let round = 0; round < 4; round += 1) {
    const pids = find();
    if (pids.length === 0) break;
    killed += signalAll(pids, "SIGKILL");
  }
  return killed;
}
