import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { ApiClient } from "./api-client.ts";
import { readLogTail, startChild, waitForEnd } from "./child.ts";
import { faultNames, shopFaultNames } from "./fault-names.ts";
import { Hopeless, pollUntil } from "./poll.ts";
import { findPostgresProcesses, signalAll, withDescendants } from "./processes.ts";
import { shopServices } from "./shop/config.ts";
import type { Topology } from "./topology.ts";

const readyMs = 60_000;
const stopGraceMs = 8_000;

/** The control plane's own process, with the embedded PostgreSQL that it starts as its store. */
export class ControlPlaneProcess {
  #child: ChildProcess | null = null;
  #api: ApiClient | null = null;

  constructor(
    private readonly topology: Topology,
    private readonly root: string,
    private readonly supervisorToken: string,
  ) {}

  get url(): string {
    return `http://${this.topology.server.host}:${this.topology.server.port}`;
  }

  /** As an administrator. @throws before the first start */
  get api(): ApiClient {
    if (this.#api === null) throw new Error("The control plane has not started yet.");
    return this.#api;
  }

  /** A link that signs in as the administrator, once, within the hour. */
  async makeSignInLink(): Promise<string> {
    return (await this.api.post<{ readonly url: string }>("sign-in-links", {})).url;
  }

  get pid(): number | null {
    const child = this.#child;
    return child === null || child.exitCode !== null || child.signalCode !== null ? null : (child.pid ?? null);
  }

  get logPath(): string {
    return join(this.topology.serverFolder, "server.log");
  }

  /** Resolves when it serves. @throws Error with the end of its log when it does not. */
  async start(): Promise<void> {
    if (this.pid !== null) return;
    const { server, supervisor, serverFolder, storePort } = this.topology;
    const signInToken = randomBytes(32).toString("base64url");
    this.#child = startChild({
      name: "server",
      args: [join(this.root, "dist", "server.js")],
      cwd: this.root,
      logPath: this.logPath,
      environment: {
        NODE_ENV: "production",
        HOLDFAST_HOST: server.host,
        HOLDFAST_PORT: String(server.port),
        HOLDFAST_DATA_DIR: serverFolder,
        HOLDFAST_STORE_PORT: String(storePort),
        HOLDFAST_SIGN_IN_TOKEN: signInToken,
        // Whoever plays with the demo breaks more in ten minutes than the default budget allows.
        HOLDFAST_FAILOVER_BUDGET: "100",
        HOLDFAST_DEMO_URL: `http://${supervisor.host}:${supervisor.port}`,
        HOLDFAST_DEMO_TOKEN: this.supervisorToken,
        HOLDFAST_DEMO_FAULTS: [...faultNames, ...shopFaultNames].join(","),
        HOLDFAST_DEMO_SERVICES: shopServices.join(","),
      },
    });
    await pollUntil("The control plane's start", readyMs, async () => {
      if (this.pid === null) throw new Hopeless(`The control plane has ended:\n${readLogTail(this.logPath)}`);
      const response = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(1_000) });
      return response.ok ? true : null;
    });
    this.#api ??= await ApiClient.enter(this.url, signInToken);
  }

  /** Dies at once, its store with it. */
  kill(): void {
    const own = this.pid === null ? [] : withDescendants([this.pid]);
    signalAll([...new Set([...own, ...this.#storePids()])], "SIGKILL");
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child !== null && this.pid !== null) {
      child.kill("SIGTERM");
      await waitForEnd(child, stopGraceMs);
    }
    this.kill();
  }

  #storePids(): readonly number[] {
    return findPostgresProcesses(join(this.topology.serverFolder, "postgres"));
  }
}
