import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, openSync } from "node:fs";
import { open, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { monotonicMs, poll, sleep } from "../../shared/time.ts";
import {
  cleanEnvironment,
  findPostmaster,
  hasNoSenders,
  hasProcess,
  isAlive,
  killOrphans,
  killPostmaster,
  runProgram,
  signal,
  stopPostmaster,
  waitForExit,
} from "./processes.ts";
import type { PostgresService } from "./service.ts";

export interface PostmasterExit {
  readonly pid: number;
  readonly code: number | null;
  readonly signal: string | null;
  /** True when the agent was the parent and reaped it. */
  readonly reaped: boolean;
  readonly atMs: number;
  /** The agent itself asked for it. */
  readonly expected: boolean;
}

const watchIntervalMs = 50;
/** Every so many looks a thorough one, which also sees a process that is dead and not reaped. */
const thoroughEvery = 10;
const signalsDeadlineMs = 2_000;
/** A server that has shut down has nothing left to lose: one whose process stays is killed. */
const leaveDeadlineMs = 10_000;
const maxLogBytes = 16 * 1024 * 1024;

/** Starts, stops and watches one postmaster. It outlives the agent: own session, output to a file. */
export class Supervisor {
  readonly #service: PostgresService;
  readonly #onExit: (exit: PostmasterExit) => void;
  #pid: number | null = null;
  #child: ChildProcess | null = null;
  #watch: NodeJS.Timeout | null = null;
  #stopping = false;
  #looks = 0;
  #takesSignals = false;
  #starting: Promise<void> | null = null;
  /** Until the process of a server that was shut down has ended. */
  #leaving: Promise<void> | null = null;
  #lastExit: PostmasterExit | null = null;

  constructor(service: PostgresService, onExit: (exit: PostmasterExit) => void) {
    this.#service = service;
    this.#onExit = onExit;
  }

  get pid(): number | null {
    return this.#pid;
  }

  get lastExit(): PostmasterExit | null {
    return this.#lastExit;
  }

  get logPath(): string {
    return join(this.#service.stateDir, "log", `${this.#service.cluster}-postgres.log`);
  }

  /** Takes a server that runs already under watch. Answers whether there is one. */
  async attach(): Promise<boolean> {
    if (this.#pid !== null) return true;
    await this.#leaving;
    const pid = await findPostmaster(this.#service.dataDir);
    if (pid === null) return false;
    this.#adopt(pid, null);
    return true;
  }

  /**
   * Starts the server. Resolves when the process exists; it may not accept connections yet. Whoever asks while a start is under way shares it:
   * the second of two postmasters would remove the first one's pid file on its way out.
   */
  start(): Promise<void> {
    this.#starting ??= this.#startOnce().finally(() => {
      this.#starting = null;
    });
    return this.#starting;
  }

  async #startOnce(): Promise<void> {
    if (await this.attach()) return;
    this.#stopping = false;
    await killOrphans(this.#service.dataDir);
    // A dead postmaster that nobody reaped yet still has its pid, and PostgreSQL takes it for a living one.
    await rm(join(this.#service.dataDir, "postmaster.pid"), { force: true });
    const { manager } = this.#service;
    if (manager === null) {
      await this.#spawn();
      return;
    }
    const [path, ...args] = manager.start as [string, ...string[]];
    const result = await runProgram(path, args, { runAs: null, deadlineMs: 60_000 });
    // A manager may give up waiting for a server that is still recovering: what counts is whether it is there.
    if (result.code !== 0 && !(await this.attach()))
      throw new Error(`${manager.start.join(" ")} ended with code ${result.code}: ${result.output.slice(-500)}`);
    for (let attempt = 0; attempt < 100; attempt += 1) {
      if (await this.attach()) return;
      await sleep(50);
    }
    throw new Error(`${manager.start.join(" ")} succeeded, but no postmaster works in ${this.#service.dataDir}`);
  }

  /** Stops the server; past the deadline it is killed. `immediate` leaves crash recovery to the next start. */
  async stop(mode: "fast" | "immediate", deadlineMs: number): Promise<{ readonly killed: boolean }> {
    this.#stopping = true;
    await this.attach();
    const pid = this.#pid;
    let killed = false;
    if (pid !== null && !(await stopPostmaster(pid, mode, deadlineMs))) {
      killed = true;
      await killPostmaster(pid, this.#service.dataDir);
    }
    if (pid !== null) this.#ended(pid, null, null, false);
    await killOrphans(this.#service.dataDir);
    if (this.#service.manager !== null) await this.#tellManager(this.#service.manager.stop);
    return { killed };
  }

  /**
   * Asks for a fast shutdown and waits until nothing is written or sent any more; a server that is not down by the deadline is left as it is.
   * `isShut`: whether the shutdown checkpoint is written. The process may take as long again to end (it answers whoever still connects, and
   * writes its statistics): it is seen off meanwhile, and nothing starts in its directory before it is gone.
   */
  async shutDown(deadlineMs: number, isShut: () => Promise<boolean>): Promise<boolean> {
    const pid = this.#pid;
    if (pid === null) return true;
    this.#stopping = true;
    signal(pid, "SIGINT");
    const isDown = async () => this.#pid !== pid || ((await isShut()) && (await hasNoSenders(pid)));
    const down = await poll(async () => ((await isDown()) ? true : null), { intervalMs: 8, deadlineMs });
    if (down === null) return false;
    this.#leaving = this.#seeOff(pid);
    this.#ended(pid, null, null, false);
    return true;
  }

  async #seeOff(pid: number): Promise<void> {
    if (!(await waitForExit(pid, leaveDeadlineMs))) await killPostmaster(pid, this.#service.dataDir);
    this.#leaving = null;
  }

  /** Signals a reload of the configuration files. One that was only just started would die of it: it takes signals when it has written its pid file. */
  async reload(): Promise<boolean> {
    const pid = this.#pid;
    if (pid === null) return false;
    if (!this.#takesSignals) {
      const look = async () => ((await findPostmaster(this.#service.dataDir)) === pid ? true : null);
      if ((await poll(look, { intervalMs: 5, deadlineMs: signalsDeadlineMs })) === null || this.#pid !== pid)
        return false;
      this.#takesSignals = true;
    }
    return signal(pid, "SIGHUP");
  }

  /** Looks at once instead of at the next turn: a connection has just closed. */
  checkNow(): void {
    void this.#check();
  }

  /** Stops watching; PostgreSQL runs on. */
  release(): void {
    if (this.#watch) clearInterval(this.#watch);
    this.#watch = null;
    this.#child?.removeAllListeners();
    this.#child?.unref();
  }

  async #spawn(): Promise<void> {
    const { binDir, dataDir, runAs } = this.#service;
    const log = await this.#openLog();
    const child = spawn(join(binDir, "postgres"), ["-D", dataDir], {
      detached: true,
      stdio: ["ignore", log, log],
      cwd: "/",
      env: cleanEnvironment({ TZ: "UTC" }),
      ...(runAs ? { uid: runAs.uid, gid: runAs.gid } : {}),
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (error) =>
        reject(new Error(`${join(binDir, "postgres")} could not be started: ${error.message}`)),
      );
    });
    if (child.pid !== undefined) this.#adopt(child.pid, child);
  }

  async #openLog(): Promise<number> {
    mkdirSync(join(this.#service.stateDir, "log"), { recursive: true, mode: 0o700 });
    const size = await stat(this.logPath)
      .then((file) => file.size)
      .catch(() => 0);
    if (size > maxLogBytes) await truncate(this.logPath, 0);
    return openSync(this.logPath, "a", 0o600);
  }

  /** The end of PostgreSQL's log, to say why a start failed. */
  async logTail(bytes = 600): Promise<string> {
    const file = await open(this.logPath, "r").catch(() => null);
    if (file === null) return "";
    try {
      const { size } = await file.stat();
      const length = Math.min(bytes, size);
      const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
      return buffer.toString("utf8");
    } finally {
      await file.close();
    }
  }

  #adopt(pid: number, child: ChildProcess | null): void {
    this.#pid = pid;
    this.#child = child;
    // One that was found was found by its pid file.
    this.#takesSignals = child === null;
    this.#stopping = false;
    child?.once("exit", (code, name) => this.#ended(pid, code, name, true));
    child?.unref();
    if (this.#watch) clearInterval(this.#watch);
    this.#watch = child === null ? setInterval(() => this.#look(), watchIntervalMs) : null;
    this.#watch?.unref();
  }

  /** Asking the kernel for a pid costs a microsecond; reading its state fifty. */
  #look(): void {
    this.#looks += 1;
    const pid = this.#pid;
    if (pid !== null && (this.#looks % thoroughEvery === 0 || !hasProcess(pid))) void this.#check();
  }

  async #check(): Promise<void> {
    const pid = this.#pid;
    if (pid === null || this.#child !== null) return;
    if (!(await isAlive(pid))) this.#ended(pid, null, null, false);
  }

  #ended(pid: number, code: number | null, name: string | null, reaped: boolean): void {
    if (this.#pid !== pid) return;
    this.#pid = null;
    this.#child = null;
    if (this.#watch) clearInterval(this.#watch);
    this.#watch = null;
    this.#lastExit = { pid, code, signal: name, reaped, atMs: monotonicMs(), expected: this.#stopping };
    if (!this.#stopping) void killOrphans(this.#service.dataDir);
    this.#onExit(this.#lastExit);
  }

  async #tellManager(command: readonly string[]): Promise<void> {
    const [path, ...args] = command as [string, ...string[]];
    await runProgram(path, args, { runAs: null, deadlineMs: 30_000 });
  }
}
