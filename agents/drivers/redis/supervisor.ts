import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, openSync } from "node:fs";
import { chown, mkdir, readFile, readlink, realpath, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { writeDurably } from "../../shared/durable-file.ts";
import { monotonicMs } from "../../shared/time.ts";
import { cleanEnvironment, isAlive, signal, waitForExit } from "../postgres/processes.ts";
import type { RedisService } from "./service.ts";
import { renderSettings, type StartAs } from "./settings.ts";

export interface RedisExit {
  readonly pid: number;
  readonly code: number | null;
  readonly signal: string | null;
  readonly reaped: boolean;
  readonly atMs: number;
  readonly expected: boolean;
}

const watchIntervalMs = 100;
const maxLogBytes = 16 * 1024 * 1024;

/** Starts, stops and watches one Redis server. It outlives the agent: a session of its own, output to a file. */
export class RedisSupervisor {
  readonly #service: RedisService;
  readonly #managed: NonNullable<RedisService["managed"]>;
  readonly #onExit: (exit: RedisExit) => void;
  #pid: number | null = null;
  #child: ChildProcess | null = null;
  #watch: NodeJS.Timeout | null = null;
  #stopping = false;
  #starting: Promise<void> | null = null;
  #lastExit: RedisExit | null = null;

  constructor(service: RedisService, onExit: (exit: RedisExit) => void) {
    if (service.managed === null) throw new Error("invariant: only a managed server is supervised");
    this.#service = service;
    this.#managed = service.managed;
    this.#onExit = onExit;
  }

  get pid(): number | null {
    return this.#pid;
  }

  get lastExit(): RedisExit | null {
    return this.#lastExit;
  }

  /** Takes a server that runs already under watch. Answers whether there is one. */
  async attach(): Promise<boolean> {
    if (this.#pid !== null) return true;
    const text = await readFile(join(this.#managed.dir, "redis.pid"), "utf8").catch(() => "");
    const pid = Number.parseInt(text, 10);
    if (!Number.isInteger(pid) || pid <= 1 || !(await isAlive(pid)) || !(await this.#worksHere(pid))) return false;
    if (this.#pid === null) this.#adopt(pid, null);
    return true;
  }

  /** Starts the server unless it runs. Whoever asks while a start is under way shares it. */
  start(startAs: StartAs | null): Promise<void> {
    this.#starting ??= this.#startOnce(startAs).finally(() => {
      this.#starting = null;
    });
    return this.#starting;
  }

  /** Ends the server: it saves what it has to, past the deadline it is killed. A stopped process (SIGSTOP) is killed, too. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    await this.attach();
    const pid = this.#pid;
    if (pid === null) return;
    signal(pid, "SIGTERM");
    if (!(await waitForExit(pid, deadlineMs))) {
      signal(pid, "SIGKILL");
      await waitForExit(pid, 2_000);
    }
    this.#ended(pid, null, null, false);
  }

  /** At once, whatever it does. */
  async kill(): Promise<void> {
    this.#stopping = true;
    await this.attach();
    const pid = this.#pid;
    if (pid === null) return;
    signal(pid, "SIGKILL");
    await waitForExit(pid, 2_000);
    this.#ended(pid, null, null, false);
  }

  /** Stops watching; Redis runs on. */
  release(): void {
    if (this.#watch) clearInterval(this.#watch);
    this.#watch = null;
    this.#child?.removeAllListeners();
    this.#child?.unref();
  }

  async #startOnce(startAs: StartAs | null): Promise<void> {
    if (await this.attach()) return;
    this.#stopping = false;
    const { dir, program, runAs } = this.#managed;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    if (runAs !== null) await chown(dir, runAs.uid, runAs.gid);
    await rm(join(dir, "redis.pid"), { force: true });
    const config = join(dir, "holdfast.conf");
    await writeDurably(config, renderSettings(this.#service, startAs), { owner: runAs });
    const log = await this.#openLog();
    const child = spawn(program, [config], {
      detached: true,
      stdio: ["ignore", log, log],
      cwd: dir,
      env: cleanEnvironment({ TZ: "UTC" }),
      ...(runAs ? { uid: runAs.uid, gid: runAs.gid } : {}),
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (error) => reject(new Error(`${program} could not be started: ${error.message}`)));
    });
    if (child.pid !== undefined) this.#adopt(child.pid, child);
  }

  /** After a crash the pid may belong to another program: a server works in its directory. */
  async #worksHere(pid: number): Promise<boolean> {
    if (process.platform !== "linux") return true;
    const [works, here] = await Promise.all([
      readlink(`/proc/${pid}/cwd`).catch(() => null),
      realpath(this.#managed.dir).catch(() => null),
    ]);
    return works !== null && works === here;
  }

  async #openLog(): Promise<number> {
    const folder = join(this.#service.stateDir, "log");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, `${this.#service.instance}-redis.log`);
    const size = await stat(path).then(
      (file) => file.size,
      () => 0,
    );
    if (size > maxLogBytes) await truncate(path, 0);
    return openSync(path, "a", 0o600);
  }

  #adopt(pid: number, child: ChildProcess | null): void {
    this.#pid = pid;
    this.#child = child;
    this.#stopping = false;
    child?.once("exit", (code, name) => this.#ended(pid, code, name, true));
    child?.unref();
    if (this.#watch) clearInterval(this.#watch);
    this.#watch = child === null ? setInterval(() => void this.#look(), watchIntervalMs) : null;
    this.#watch?.unref();
  }

  async #look(): Promise<void> {
    const pid = this.#pid;
    if (pid !== null && this.#child === null && !(await isAlive(pid))) this.#ended(pid, null, null, false);
  }

  #ended(pid: number, code: number | null, name: string | null, reaped: boolean): void {
    if (this.#pid !== pid) return;
    this.#pid = null;
    this.#child = null;
    if (this.#watch) clearInterval(this.#watch);
    this.#watch = null;
    this.#lastExit = { pid, code, signal: name, reaped, atMs: monotonicMs(), expected: this.#stopping };
    this.#onExit(this.#lastExit);
  }
}
