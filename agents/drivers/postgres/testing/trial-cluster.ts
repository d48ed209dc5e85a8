import { access, chown, mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommandOutcome, Endpoint, Grant, Verb } from "../../../../server/core/index.ts";
import { resolveRunAs } from "../../../config/run-as.ts";
import { emptyFence, type FenceRecord, judgeCommand, recordOutcome } from "../../../fence/promise.ts";
import { PostgresDriver } from "../driver.ts";
import { PostgresInstance } from "../instance.ts";

/** Real PostgreSQL servers for tests: members with their drivers, without an agent's connection around them. */

/** Folders of the system's PostgreSQL packages, newest first, then what the environment names. */
const binDirs = [
  process.env.HOLDFAST_TEST_PG_BIN,
  ...[18, 17, 16, 15, 14, 13].map((major) => `/usr/lib/postgresql/${major}/bin`),
  "/opt/homebrew/bin",
];

/** A directory with a whole PostgreSQL, or null when this machine has none. */
export async function findBinDir(program = "initdb"): Promise<string | null> {
  for (const path of binDirs) {
    if (path === undefined) continue;
    const there = await access(join(path, program)).then(
      () => true,
      () => false,
    );
    if (there) return path;
  }
  return null;
}

/** A free TCP port on loopback. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** One member: instance, driver, and a fence kept in memory. */
export class TrialMember {
  readonly endpoint: Endpoint;
  readonly instance: PostgresInstance;
  readonly driver: PostgresDriver;
  readonly signals: string[] = [];
  fence: FenceRecord = emptyFence;
  #timeline: number | null = null;

  private constructor(endpoint: Endpoint, root: string, binDir: string, runAs: { uid: number; gid: number } | null) {
    this.endpoint = endpoint;
    this.instance = new PostgresInstance(
      {
        node: endpoint.node,
        cluster: "trial",
        host: endpoint.host,
        port: endpoint.port,
        advertise: { host: endpoint.host, port: endpoint.port },
        binDir,
        dataDir: join(root, endpoint.node, "data"),
        user: "holdfast",
        password: "trial-password",
        runAs,
        manager: null,
        initialize: true,
        authentication: "scram-sha-256",
        allowFrom: ["127.0.0.1/32"],
        databases: [{ name: "app", owner: "app", password: "app" }],
        settings: { shared_buffers: "32MB", fsync: "on", max_prepared_transactions: "5" },
        stateDir: join(root, endpoint.node, "state"),
        watchdog: null,
        stopWithAgent: false,
      },
      {
        log: () => undefined,
        fence: () => this.fence,
        timeline: () => this.#timeline,
        rememberTimeline: (timeline) => {
          this.#timeline = timeline;
        },
        changed: () => undefined,
        signal: (code) => this.signals.push(code),
      },
    );
    this.driver = new PostgresDriver(this.instance, () => true);
  }

  static async create(root: string, node: string, binDir: string): Promise<TrialMember> {
    const runAs = await resolveRunAs(null, null);
    const endpoint = { node, host: "127.0.0.1", port: await freePort() };
    await mkdir(join(root, node, "state"), { recursive: true });
    const member = new TrialMember(endpoint, root, binDir, runAs);
    await member.instance.boot();
    return member;
  }

  /** Judges and runs a command as the agent does. */
  async run(grant: Grant, verb: Verb): Promise<CommandOutcome> {
    const verdict = judgeCommand(this.fence, { grant, verb });
    if (!verdict.ok) return { status: "refused", code: verdict.code, detail: verdict.detail };
    this.fence = verdict.record;
    const outcome = await this.driver.run(grant, verb, () => undefined);
    this.fence = recordOutcome(this.fence, { grant, verb }, outcome);
    return outcome;
  }

  async end(): Promise<void> {
    this.driver.close();
    await this.instance.supervisor.stop("immediate", 1_000);
    await this.instance.close();
  }
}

/** A directory that PostgreSQL's user can reach. */
export async function makeTrialRoot(): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "holdfast-trial-"));
  const runAs = await resolveRunAs(null, null);
  if (runAs) await chown(path, runAs.uid, runAs.gid);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
