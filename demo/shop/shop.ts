import type { ChildProcess } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { databaseOfApplication } from "../agent-config.ts";
import { readLogTail, startChild, waitForEnd } from "../child.ts";
import { pollUntil } from "../poll.ts";
import { signalAll } from "../processes.ts";
import type { Topology } from "../topology.ts";
import {
  goodRelease,
  type InnerFault,
  type ShopConfig,
  type ShopMessage,
  type ShopService,
  shopServices,
} from "./config.ts";
import { LoadGenerator } from "./load.ts";
import { analyze, createIndex, createStatements } from "./schema.ts";
import { closeVolume, openVolume } from "./volume.ts";

const requestsPerSecond = 20;
const stopGraceMs = 3_000;
const restartAfterMs = 500;
const readyMs = 20_000;

interface Running {
  child: ChildProcess;
  release: string;
  previous: string | null;
}

export interface ShopOptions {
  readonly script: string;
  readonly topology: Topology;
  findPrimary(): Promise<string | null>;
  say(line: string): void;
}

/** The shop's processes: starts them, starts again what ended, deploys releases and takes them back. */
export class Shop {
  readonly load: LoadGenerator;
  readonly #running = new Map<ShopService, Running>();
  readonly #smallVolumes = new Set<ShopService>();
  #stopping = false;

  constructor(private readonly options: ShopOptions) {
    this.load = new LoadGenerator(options.topology.shop.gateway, requestsPerSecond);
  }

  get folder(): string {
    return join(this.options.topology.application.folder, "shop");
  }

  get pids(): readonly { readonly pid: number; readonly mark: string }[] {
    return [...this.#running].flatMap(([service, { child }]) =>
      child.pid === undefined ? [] : [{ pid: child.pid, mark: this.#configPath(service) }],
    );
  }

  /** Tables, index and four processes; resolves when the first customer was served. */
  async start(): Promise<void> {
    this.#stopping = false;
    await this.onPrimary([...createStatements, createIndex, analyze]);
    for (const service of shopServices) {
      const { isSmall } = openVolume(this.#volume(service));
      if (isSmall) this.#smallVolumes.add(service);
      this.#launch(service, goodRelease, null);
    }
    const { host, port } = this.options.topology.shop.gateway;
    await pollUntil("The shop's first answer", readyMs, async () => {
      const response = await fetch(`http://${host}:${port}/products/1`, { signal: AbortSignal.timeout(1_000) });
      await response.arrayBuffer();
      if (response.ok) return true;
      throw new Error(`${response.status}\n${readLogTail(this.#logPath("gateway"))}`);
    });
    this.load.start();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.load.stop();
    await Promise.all([...this.#running.values()].map(({ child }) => endChild(child)));
    this.closeVolumes();
  }

  /** Also before a start: a run that was killed leaves them mounted, and a mounted folder can't be removed. */
  closeVolumes(): void {
    for (const service of shopServices) closeVolume(this.#volume(service));
  }

  /** What runs, for the supervisor's state. */
  read(): readonly { readonly service: ShopService; readonly release: string; readonly runs: boolean }[] {
    return [...this.#running].map(([service, { child, release }]) => ({ service, release, runs: isRunning(child) }));
  }

  isSmallVolume(service: ShopService): boolean {
    return this.#smallVolumes.has(service);
  }

  /** Switches a fault inside a process. It ends with the process: whatever starts anew is sound. */
  tell(service: ShopService, fault: InnerFault, on: boolean): void {
    const message: ShopMessage = { kind: "fault", fault, on };
    const running = this.#running.get(service);
    if (running?.child.connected) running.child.send(message);
  }

  async restart(service: ShopService): Promise<string> {
    const { child, release, previous } = this.#demand(service);
    await this.#replace(service, child, release, previous);
    return release;
  }

  async deploy(service: ShopService, release: string): Promise<void> {
    const { child, release: previous } = this.#demand(service);
    if (release !== previous) await this.#replace(service, child, release, previous);
  }

  /** Back to the release before. Answers with it; null when there was none. */
  async rollBack(service: ShopService): Promise<string | null> {
    const { child, previous } = this.#demand(service);
    if (previous === null) return null;
    await this.#replace(service, child, previous, null);
    return previous;
  }

  /** Runs statements on the database's primary. */
  async onPrimary(statements: readonly string[]): Promise<void> {
    const primary = await this.options.findPrimary();
    const node = this.options.topology.postgres.find(({ id }) => id === primary);
    if (node === undefined) throw new Error("The database has no primary now. Wait until there is one.");
    const client = new pg.Client({ ...node.client, ...databaseOfApplication, statement_timeout: 30_000 });
    client.on("error", () => undefined);
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  #launch(service: ShopService, release: string, previous: string | null): void {
    const { topology, script } = this.options;
    const config: ShopConfig = {
      service,
      release,
      host: topology.application.id,
      addresses: topology.shop,
      database: {
        nodes: topology.postgres.map(({ id, client }) => ({ node: id, ...client })),
        ...databaseOfApplication,
      },
      otlpUrl: `http://${topology.otlp.host}:${topology.otlp.port}`,
      volume: this.#volume(service),
    };
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(this.#configPath(service), JSON.stringify(config, null, 2), { mode: 0o600 });
    const child = startChild({
      name: service,
      args: ["--enable-source-maps", script, this.#configPath(service)],
      logPath: this.#logPath(service),
      ipc: true,
    });
    const running: Running = { child, release, previous };
    this.#running.set(service, running);
    child.once("exit", () => {
      if (this.#stopping || this.#running.get(service) !== running) return;
      setTimeout(() => {
        if (!this.#stopping && this.#running.get(service) === running)
          this.#launch(service, running.release, running.previous);
      }, restartAfterMs);
    });
  }

  async #replace(service: ShopService, child: ChildProcess, release: string, previous: string | null): Promise<void> {
    this.#running.delete(service);
    await endChild(child);
    this.#launch(service, release, previous);
  }

  #demand(service: ShopService): Running {
    const running = this.#running.get(service);
    if (running === undefined) throw new Error(`${service} does not run.`);
    return running;
  }

  #configPath(service: ShopService): string {
    return join(this.folder, `${service}.json`);
  }

  #logPath(service: ShopService): string {
    return join(this.folder, `${service}.log`);
  }

  #volume(service: ShopService): string {
    return join(this.folder, "volumes", service);
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function endChild(child: ChildProcess): Promise<void> {
  if (!isRunning(child)) return;
  child.kill("SIGTERM");
  if (!(await waitForEnd(child, stopGraceMs))) signalAll([child.pid as number], "SIGKILL");
}
