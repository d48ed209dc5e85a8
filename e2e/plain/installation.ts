import { type ChildProcess, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Host, Layout } from "./network.ts";
import { run, start, waitUntil } from "./shell.ts";

/** Database hosts, one for the control plane, one for clients: set up by the files and commands of docs/postgresql.md. */

export const ports = { server: 25_000, postgres: 25_432, agentHttp: 25_008 } as const;
export const clusterName = "orders";
export const application = { user: "app", password: "app-secret", database: "shop", table: "witness" } as const;

/** Until nothing is left: who is killed may just have forked. */
const powerOff = `#!/bin/sh
for try in 1 2 3 4 5 6 7 8 9 10; do
  pids=$(ip netns pids "$1") || exit 1
  [ -z "$pids" ] && exit 0
  kill -9 $pids 2>/dev/null
  sleep 0.05
done
exit 1
`;

/** Commits wait for nobody. */
export interface Asynchronous {
  /** What a failover may lose by itself, bytes of WAL. */
  readonly maxLagBytes: number;
  /** The control plane can cut members off for good, by a script that ends every process of a host. */
  readonly hooks: boolean;
}

export interface InstallationOptions {
  readonly layout: Layout;
  /** Where everything of this trial lies. */
  readonly folder: string;
  /** Root of the Holdfast installation that is tried. */
  readonly root: string;
  readonly binDir: string;
  /** The user that agents run as; PostgreSQL always runs as `postgres`. */
  readonly agentUser: "root" | "postgres";
  /** Size of each member's disk in MiB, or null for the machine's own. */
  readonly diskMiB: number | null;
  /** Whether agents reach the control plane by wss://, with a certificate of an authority of our own. */
  readonly tls: boolean;
  /** Who starts PostgreSQL: the agent, or fixed commands from the configuration. */
  readonly manager: "agent" | "command";
  readonly postgresUser: { readonly uid: number; readonly gid: number };
  /** Changes to the policy in `server.yaml`. */
  readonly policy?: Readonly<Record<string, unknown>>;
  readonly asynchronous?: Asynchronous | null;
}

export class Installation {
  readonly options: InstallationOptions;
  readonly password = randomBytes(18).toString("base64url");
  readonly #children = new Map<string, ChildProcess>();

  constructor(options: InstallationOptions) {
    this.options = options;
    mkdirSync(options.folder, { recursive: true, mode: 0o755 });
  }

  get control(): Host {
    return this.options.layout.control;
  }

  get client(): Host {
    return this.options.layout.client;
  }

  get members(): readonly Host[] {
    return this.options.layout.members;
  }

  folderOf(host: Host): string {
    return join(this.options.folder, host.name);
  }

  dataDir(host: Host): string {
    return join(this.folderOf(host), "data");
  }

  get url(): string {
    return `${this.options.tls ? "https" : "http"}://${this.control.address}:${ports.server}`;
  }

  certificate(name: string): string {
    return join(this.folderOf(this.control), name);
  }

  #trust(): Readonly<Record<string, string>> {
    return this.options.tls ? { NODE_EXTRA_CA_CERTS: this.certificate("ca.crt") } : {};
  }

  makeFolders(): void {
    for (const host of [...this.members, this.control, this.client]) {
      const folder = this.folderOf(host);
      mkdirSync(folder, { recursive: true, mode: 0o755 });
      chmodSync(folder, 0o755);
      if (!this.members.includes(host)) continue;
      if (this.options.diskMiB !== null) {
        spawnSync("mount", ["-t", "tmpfs", "-o", `size=${this.options.diskMiB}m,mode=755`, "tmpfs", folder]);
      }
      this.#giveToPostgres(folder);
    }
  }

  releaseDisks(): void {
    if (this.options.diskMiB === null) return;
    for (const host of this.members) spawnSync("umount", ["-l", this.folderOf(host)]);
  }

  /** `server.yaml`, and the server started by it. */
  async startServer(): Promise<void> {
    const file = join(this.folderOf(this.control), "server.yaml");
    const config = {
      host: this.control.address,
      port: ports.server,
      publicUrl: this.url,
      ...(this.options.tls
        ? { tls: { certFile: this.certificate("server.crt"), keyFile: this.certificate("server.key") } }
        : {}),
      dataDir: join(this.folderOf(this.control), "data"),
      // Faults come faster here than they should anywhere else.
      policy: { failoverBudget: 100, ...this.options.policy },
      ...(this.options.asynchronous?.hooks ? { fencing: this.#fencingHooks() } : {}),
    };
    writeFileSync(file, stringify(config));
    const argv = [process.execPath, join(this.options.root, "cli/holdfast.js"), "server", "--config", file];
    this.#children.set("control", start(this.control, argv, join(this.folderOf(this.control), "server.log")));
    const trust = this.options.tls ? ["--cacert", this.certificate("ca.crt")] : [];
    const probe = ["curl", "-fsS", "-m", "2", ...trust, `${this.url}/readyz`];
    const ready = await waitUntil(() => run(this.control, probe, { mayFail: true }).includes("ready"), 90_000, 250);
    if (!ready)
      throw new Error(
        `the server is not ready: ${readFileSync(join(this.folderOf(this.control), "server.log"), "utf8").slice(-2_000)}`,
      );
  }

  /** What a power switch is to a machine, this is to a network namespace. */
  #fencingHooks(): readonly { readonly node: string; readonly command: readonly string[] }[] {
    const script = join(this.folderOf(this.control), "power-off");
    writeFileSync(script, powerOff, { mode: 0o755 });
    return this.members.map((host) => ({ node: host.name, command: [script, host.namespace] }));
  }

  /** The `holdfast` command on the control plane's host. */
  holdfast(...args: readonly string[]): string {
    return run(this.control, this.commandLine(...args), { env: this.commandEnvironment, mayFail: true });
  }

  commandLine(...args: readonly string[]): readonly string[] {
    return [process.execPath, join(this.options.root, "cli/holdfast.js"), ...args];
  }

  get commandEnvironment(): Readonly<Record<string, string>> {
    return { HOLDFAST_DATA_DIR: join(this.folderOf(this.control), "data"), ...this.#trust() };
  }

  /** `agent.yaml` with a one-time token, as the page has it. */
  configureAgent(host: Host, changes: Readonly<Record<string, unknown>> = {}): void {
    const folder = this.folderOf(host);
    const token = JSON.parse(this.holdfast("token", "create", "--node", host.name, "--json")) as {
      readonly token: string;
      readonly serverKey: string;
    };
    this.#writeSecret(join(folder, "token"), token.token);
    this.#writeSecret(join(folder, "password"), this.password);
    const config = {
      node: host.name,
      zone: `rack-${host.name}`,
      server: this.url.replace("http", "ws"),
      allowInsecure: true,
      serverKey: token.serverKey,
      tokenFile: join(folder, "token"),
      stateDir: join(folder, "state"),
      listen: { host: host.address, port: ports.agentHttp },
      services: [{ ...this.#service(host), ...changes }],
    };
    this.#writeSecret(join(folder, "agent.yaml"), stringify(config));
  }

  #service(host: Host): Readonly<Record<string, unknown>> {
    const folder = this.folderOf(host);
    return {
      kind: "postgres",
      cluster: clusterName,
      port: ports.postgres,
      advertise: { host: host.address },
      binDir: this.options.binDir,
      dataDir: this.dataDir(host),
      user: "holdfast",
      passwordFile: join(folder, "password"),
      ...(this.options.manager === "agent" ? {} : { start: { command: this.managerCommands(host) } }),
    };
  }

  /** What a service manager would be told: fixed argument vectors, run by root as the `postgres` user. */
  managerCommands(host: Host): { readonly start: readonly string[]; readonly stop: readonly string[] } {
    const as =
      this.options.agentUser === "postgres"
        ? []
        : ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"];
    const control = [...as, join(this.options.binDir, "pg_ctl"), "-D", this.dataDir(host)];
    const [path, ...rest] = control;
    const log = join(this.folderOf(host), "postgres.log");
    return {
      start: [path as string, ...rest, "-l", log, "-w", "-t", "5", "start"],
      stop: [path as string, ...rest, "-m", "fast", "-w", "stop"],
    };
  }

  startAgent(host: Host): void {
    const argv = [
      process.execPath,
      join(this.options.root, "cli/holdfast.js"),
      "agent",
      "--config",
      join(this.folderOf(host), "agent.yaml"),
    ];
    const user = this.options.agentUser === "postgres" ? { user: "postgres" } : {};
    const options = { env: this.#trust(), ...user };
    this.#children.set(host.name, start(host, argv, join(this.folderOf(host), "agent.log"), options));
  }

  /** Runs SQL on a host by its own superuser; answers with unaligned rows. */
  sql(
    host: Host,
    text: string,
    at: { readonly user?: string; readonly password?: string; readonly database?: string } = {},
  ): string {
    const { user = "holdfast", password = this.password, database = "postgres" } = at;
    const argv = [
      "psql",
      "-XAtq",
      "-v",
      "ON_ERROR_STOP=1",
      "-h",
      host.address,
      "-p",
      String(ports.postgres),
      "-U",
      user,
      "-d",
      database,
      "-f",
      "-",
    ];
    return run(this.client, argv, { env: { PGPASSWORD: password, PGCONNECT_TIMEOUT: "2" }, input: text });
  }

  /** What the agent answers a load balancer. */
  probe(host: Host, path: "/primary" | "/replica" | "/health"): number {
    const url = `http://${host.address}:${ports.agentHttp}${path}`;
    return Number(
      run(this.client, ["curl", "-s", "-m", "1", "-o", "/dev/null", "-w", "%{http_code}", url], {
        mayFail: true,
      }).slice(0, 3),
    );
  }

  #writeSecret(file: string, text: string): void {
    writeFileSync(file, `${text}\n`, { mode: 0o600 });
    this.#giveToPostgres(file);
  }

  #giveToPostgres(path: string): void {
    chownSync(path, this.options.postgresUser.uid, this.options.postgresUser.gid);
  }
}
