import { type ChildProcess, spawn } from "node:child_process";
import { open, readFile, stat, truncate } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { Client } from "pg";
import { type EmbeddedBinaries, ensureEmbeddedBinaries } from "./binaries.ts";
import { claimDataDirectory, releaseDataDirectory, superuser } from "./data-directory.ts";
import { cleanEnvironment, sleep } from "./processes.ts";

const host = "127.0.0.1";
const readyTimeoutMs = 60_000;
/** A fast shutdown waits for the checkpoint; past this the server is stopped at once and recovers at the next start. */
const stopTimeoutMs = 20_000;
const maxLogBytes = 10 * 1024 * 1024;
const maxRestartDelayMs = 5_000;

export type EmbeddedEvent =
  | {
      readonly kind: "embedded-exited";
      readonly code: number | null;
      readonly signal: string | null;
      readonly log: string;
    }
  | { readonly kind: "embedded-restarted"; readonly pid: number; readonly downMs: number }
  | { readonly kind: "embedded-restart-failed"; readonly reason: string; readonly nextTryMs: number };

export interface EmbeddedOptions {
  /** Made when missing. Beside it lie `<dataDir>.password`, `<dataDir>.owner` and `<dataDir>.log`. */
  readonly dataDir: string;
  /** On 127.0.0.1; a free one when left out. */
  readonly port?: number;
  /** Made when missing. */
  readonly database?: string;
  /** More PostgreSQL settings, over ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Told when the server ends by itself and when it is back; it is restarted until `stop`. */
  readonly onEvent?: (event: EmbeddedEvent) => void;
}

export interface EmbeddedServer {
  readonly url: string;
  readonly port: number;
  /** Of the postmaster now running; changes when it was restarted. */
  readonly pid: number;
  /** Fast shutdown; resolves when the process has ended. */
  stop(): Promise<void>;
}

/** Small, local, durable: it serves one control plane. */
const ownSettings: Readonly<Record<string, string>> = {
  listen_addresses: host,
  unix_socket_directories: "",
  max_connections: "60",
  superuser_reserved_connections: "3",
  shared_buffers: "64MB",
  synchronous_commit: "on",
  fsync: "on",
  full_page_writes: "on",
  wal_level: "minimal",
  max_wal_senders: "0",
  max_wal_size: "512MB",
  max_worker_processes: "2",
  max_parallel_workers_per_gather: "0",
  io_method: "sync",
  jit: "off",
  log_min_messages: "warning",
  log_timezone: "UTC",
  timezone: "UTC",
};

/**
 * Starts the PostgreSQL that comes with the packages on a data directory of its own, bound to loopback, with a generated password.
 * Started again by itself when it crashes.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const binaries = await ensureEmbeddedBinaries();
  const port = options.port ?? (await findFreePort());
  const { dataDir, password } = await claimDataDirectory(options.dataDir, binaries);
  const launch = { dataDir, port, binaries, settings: { ...ownSettings, ...options.settings } };
  const database = options.database ?? "holdfast";
  try {
    if (options.port !== undefined) await refuseTakenPort(options.port);
    const child = await launchServer(launch);
    const adminUrl = formatUrl(password, port, "postgres");
    await createDatabase(adminUrl, database);
    return superviseServer(launch, child, formatUrl(password, port, database), options.onEvent ?? (() => {}));
  } catch (error) {
    await releaseDataDirectory(dataDir);
    throw error;
  }
}

interface Launch {
  readonly dataDir: string;
  readonly port: number;
  readonly binaries: EmbeddedBinaries;
  readonly settings: Readonly<Record<string, string>>;
}

function superviseServer(
  launch: Launch,
  first: ChildProcess,
  url: string,
  onEvent: (event: EmbeddedEvent) => void,
): EmbeddedServer {
  let child = first;
  let stopping = false;
  let restarting: Promise<void> = Promise.resolve();

  const watch = () => {
    child.once("exit", (code, signal) => {
      if (!stopping) restarting = restart(code, signal);
    });
  };
  const restart = async (code: number | null, signal: string | null) => {
    const downSince = performance.now();
    onEvent({ kind: "embedded-exited", code, signal, log: await readLogTail(launch.dataDir) });
    for (let delayMs = 100; !stopping; delayMs = Math.min(delayMs * 2, maxRestartDelayMs)) {
      try {
        child = await launchServer(launch);
        onEvent({ kind: "embedded-restarted", pid: child.pid ?? 0, downMs: performance.now() - downSince });
        watch();
        return;
      } catch (error) {
        onEvent({ kind: "embedded-restart-failed", reason: (error as Error).message, nextTryMs: delayMs });
        await sleep(delayMs);
      }
    }
  };

  watch();
  return {
    url,
    port: launch.port,
    get pid() {
      return child.pid ?? 0;
    },
    async stop() {
      if (stopping) return;
      stopping = true;
      await restarting;
      await stopServer(child);
      await releaseDataDirectory(launch.dataDir);
    },
  };
}

async function launchServer({ dataDir, port, binaries, settings }: Launch): Promise<ChildProcess> {
  const logFile = `${dataDir}.log`;
  const logSize = await stat(logFile).then(
    (found) => found.size,
    () => 0,
  );
  if (logSize > maxLogBytes) await truncate(logFile);
  const log = await open(logFile, "a", 0o600);
  const flags = Object.entries({ ...settings, port: String(port) }).flatMap(([name, value]) => [
    "-c",
    `${name}=${value}`,
  ]);
  const child = spawn(join(binaries.binDir, "postgres"), ["-D", dataDir, ...flags], {
    ...binaries.runAs,
    cwd: "/",
    env: cleanEnvironment(),
    // Ctrl-C in a terminal reaches the whole process group: the control plane must end before its database.
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
  });
  const failed = new Promise<string>((done) => {
    child.once("error", (error) => done(error.message));
    child.once("exit", (code, signal) => done(`it ended with ${signal ?? `code ${code}`}`));
  });
  await log.close();
  const problem = await Promise.race([failed, waitUntilReady(dataDir, child)]);
  if (problem === null) return child;
  child.kill("SIGQUIT");
  const tail = await readLogTail(dataDir);
  throw new Error(`The embedded PostgreSQL in ${dataDir} did not start: ${problem}. Its log ${logFile} ends:\n${tail}`);
}

/** The postmaster writes its state to the eighth line of its pid file ("ready" when it takes connections). Null when it does. */
async function waitUntilReady(dataDir: string, child: ChildProcess): Promise<string | null> {
  const deadline = performance.now() + readyTimeoutMs;
  while (performance.now() < deadline) {
    const lines = (await readFile(join(dataDir, "postmaster.pid"), "utf8").catch(() => "")).split("\n");
    if (Number(lines[0]) === child.pid && lines[7]?.trim() === "ready") return null;
    if (child.exitCode !== null || child.signalCode !== null) return "it ended at once";
    await sleep(20);
  }
  return `it was not ready within ${readyTimeoutMs / 1000} s`;
}

async function stopServer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  child.kill("SIGINT");
  const immediate = setTimeout(() => child.kill("SIGQUIT"), stopTimeoutMs);
  await ended;
  clearTimeout(immediate);
}

async function readLogTail(dataDir: string): Promise<string> {
  const text = await readFile(`${dataDir}.log`, "utf8").catch(() => "");
  return text.trimEnd().split("\n").slice(-8).join("\n");
}

async function createDatabase(adminUrl: string, database: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    const { rowCount } = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [database]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(database)}`);
  } finally {
    await client.end();
  }
}

function formatUrl(password: string, port: number, database: string): string {
  return `postgresql://${superuser}:${encodeURIComponent(password)}@${host}:${port}/${encodeURIComponent(database)}`;
}

async function findFreePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done, fail) => probe.once("error", fail).listen(0, host, done));
  const address = probe.address();
  await new Promise((done) => probe.close(done));
  if (address === null || typeof address === "string") throw new Error("The system gave no free port on 127.0.0.1.");
  return address.port;
}

async function refuseTakenPort(port: number): Promise<void> {
  const probe = createServer();
  const error = await new Promise<NodeJS.ErrnoException | null>((done) => {
    probe.once("error", done).listen(port, host, () => done(null));
  });
  if (error === null) {
    await new Promise((done) => probe.close(done));
    return;
  }
  const reason = error.code === "EADDRINUSE" ? "is taken by another process" : `can't be used (${error.message})`;
  throw new Error(`Port ${port} on ${host} ${reason}. Choose another one for the embedded PostgreSQL.`);
}
