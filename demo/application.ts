import type { ChildProcess } from "node:child_process";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { databaseOfApplication } from "./agent-config.ts";
import { readLogTail, startChild, waitForEnd } from "./child.ts";
import { Hopeless, pollUntil } from "./poll.ts";
import { signalAll } from "./processes.ts";
import { clusterName, type Topology } from "./topology.ts";
import type { AcknowledgedBatch, WriterConfig } from "./writer/config.ts";

export const applicationTable = "order_events";
const stopGraceMs = 3_000;

export interface ApplicationOptions {
  readonly script: string;
  readonly topology: Topology;
  /** The agent of the application's node. */
  readonly agentUrl: string;
  readonly writesPerSecond: number;
  readonly onAcknowledged?: (writes: AcknowledgedBatch["writes"]) => void;
}

/** The process of the demo's application. */
export class Application {
  #child: ChildProcess | null = null;
  #ledgerBytesBefore = 0;

  constructor(private readonly options: ApplicationOptions) {}

  get configPath(): string {
    return join(this.options.topology.application.folder, "application.json");
  }

  get logPath(): string {
    return join(this.options.topology.application.folder, "application.log");
  }

  get #ledgerPath(): string {
    return join(this.options.topology.application.folder, "ledger.txt");
  }

  /** A kept ledger holds the writes of earlier runs. */
  #ledgerBytes(): number {
    return statSync(this.#ledgerPath, { throwIfNoEntry: false })?.size ?? 0;
  }

  get pid(): number | null {
    const child = this.#child;
    return child === null || child.exitCode !== null || child.signalCode !== null ? null : (child.pid ?? null);
  }

  async start(): Promise<void> {
    const { topology, agentUrl, writesPerSecond, onAcknowledged, script } = this.options;
    mkdirSync(topology.application.folder, { recursive: true });
    this.#ledgerBytesBefore = this.#ledgerBytes();
    const config: WriterConfig = {
      name: "orders-app",
      cluster: clusterName,
      table: applicationTable,
      nodes: topology.postgres.map(({ id, client }) => ({ node: id, ...client })),
      ...databaseOfApplication,
      writesPerSecond,
      ledgerPath: this.#ledgerPath,
      agentUrl,
      streamAcknowledged: onAcknowledged !== undefined,
    };
    writeFileSync(this.configPath, JSON.stringify(config, null, 2), { mode: 0o600 });
    this.#child = startChild({ name: "app", args: [script, this.configPath], logPath: this.logPath, ipc: true });
    this.#child.on("message", (message: AcknowledgedBatch) => onAcknowledged?.(message.writes));
  }

  /** @throws Error with the end of its log when it never wrote. */
  async waitForFirstWrite(withinMs: number): Promise<void> {
    await pollUntil("The application's first write", withinMs, async () => {
      if (this.pid === null) throw new Hopeless(`The application has ended:\n${readLogTail(this.logPath)}`);
      return this.#ledgerBytes() > this.#ledgerBytesBefore ? true : null;
    });
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null || this.pid === null) return;
    child.kill("SIGTERM");
    if (!(await waitForEnd(child, stopGraceMs))) signalAll([child.pid as number], "SIGKILL");
  }
}
