import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readdir, readFile, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { readIfPresent, writeDurably } from "../../shared/durable-file.ts";
import { poll } from "../../shared/time.ts";
import { cleanEnvironment, isAlive, runProgram, signal, waitForExit } from "../postgres/processes.ts";
import type { ProgramService } from "./service.ts";

const pollMs = 250;
const firstRestartMs = 500;
const maxRestartMs = 15_000;
/** In the environment of what is started here. */
const mark = "HOLDFAST_PROGRAM";

/** What is kept of a process, so that the next agent knows it again. */
interface Kept {
  readonly pid: number;
  /** Ticks since boot at which the process began: a pid alone may be anybody's. */
  readonly startTicks: string;
}

export interface KeeperHooks {
  /** It ended and nobody had asked for it. */
  crashed(how: string): void;
  changed(): void;
}

/** Keeps one process running. It outlives the agent; the next one finds it again. */
export class ProcessKeeper {
  readonly #service: ProgramService;
  readonly #hooks: KeeperHooks;
  #pid: number | null = null;
  #child: ChildProcess | null = null;
  #wanted = false;
  #pauseMs = firstRestartMs;
  #timer: NodeJS.Timeout | null = null;
  #startedAt: number | null = null;

  constructor(service: ProgramService, hooks: KeeperHooks) {
    this.#service = service;
    this.#hooks = hooks;
  }

  get pid(): number | null {
    return this.#pid;
  }

  get startedAt(): number | null {
    return this.#startedAt;
  }

  /** Takes over what an earlier agent started. Answers whether it runs. */
  async adopt(): Promise<boolean> {
    this.#wanted = true;
    if (this.#service.unit !== null) return this.#followUnit();
    const text = await readIfPresent(this.#pidPath);
    const kept = text === null ? null : (JSON.parse(text) as Kept);
    if (kept === null || (await startTicksOf(kept.pid)) !== kept.startTicks) return false;
    this.#pid = kept.pid;
    this.#startedAt ??= Date.now();
    this.#watch(kept.pid);
    return true;
  }

  /** @throws Error when the program can't be started. */
  async start(): Promise<void> {
    this.#wanted = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#service.unit !== null) {
      await this.#systemctl("start");
      this.#startedAt = Date.now();
      await this.#followUnit();
      return;
    }
    await this.#spawn();
    this.#hooks.changed();
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    this.#pauseMs = firstRestartMs;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#service.unit !== null) await this.#systemctl("stop");
    const pid = this.#pid;
    this.#pid = null;
    if (pid === null) return;
    signal(-pid, "SIGTERM");
    if (!(await waitForExit(pid, this.#service.stopWithinMs))) signal(-pid, "SIGKILL");
    await waitForExit(pid, 2_000);
    await rm(this.#pidPath, { force: true });
  }

  send(name: NodeJS.Signals): boolean {
    return this.#pid !== null && signal(this.#pid, name);
  }

  /** The agent ends; the process goes on. */
  leave(): void {
    this.#wanted = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#child?.unref();
  }

  /** Tells this service's process from every other, also when the note of its pid was never written. */
  get #marking(): string {
    return `${this.#service.name}:${this.#service.dir}`;
  }

  /** An agent that was killed between a start and its note leaves a process that nobody knows: it would hold the port. */
  async #endStrays(): Promise<void> {
    for (const entry of await readdir("/proc").catch(() => [])) {
      const pid = Number(entry);
      if (!Number.isInteger(pid) || pid === process.pid || pid === this.#pid) continue;
      const environ = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      if (!environ.split("\0").includes(`${mark}=${this.#marking}`)) continue;
      signal(pid, "SIGTERM");
      if (!(await waitForExit(pid, this.#service.stopWithinMs))) signal(pid, "SIGKILL");
      await waitForExit(pid, 2_000);
    }
  }

  get #pidPath(): string {
    return join(this.#service.stateDir, `${this.#service.name}.pid`);
  }

  async #spawn(): Promise<void> {
    const { command, dir, environment, runAs, stateDir, name } = this.#service;
    if (command === null) throw new Error(`${name} has neither a command nor a unit`);
    const current = await realpath(join(dir, "current"));
    await this.#endStrays();
    const log = openSync(join(stateDir, `${name}.log`), "a");
    const [program, ...args] = command;
    const child = spawn(program as string, args, {
      cwd: current,
      detached: true,
      stdio: ["ignore", log, log],
      env: cleanEnvironment({
        ...environment,
        HOLDFAST_RELEASE: current.split("/").at(-1) ?? "",
        [mark]: this.#marking,
      }),
      ...(runAs ? { uid: runAs.uid, gid: runAs.gid } : {}),
    });
    closeSync(log);
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (error) => reject(new Error(`${name} could not be started: ${error.message}`)));
    });
    const pid = child.pid as number;
    this.#child = child;
    this.#pid = pid;
    this.#startedAt = Date.now();
    child.once("exit", (code, by) => this.#ended(pid, by ?? `code ${code}`));
    await writeDurably(this.#pidPath, JSON.stringify({ pid, startTicks: (await startTicksOf(pid)) ?? "" }));
  }

  /** An adopted process is nobody's child here: it is looked at. */
  #watch(pid: number): void {
    void poll(async () => (this.#pid === pid && (await isAlive(pid)) ? null : true), {
      intervalMs: pollMs,
      deadlineMs: Number.MAX_SAFE_INTEGER,
    }).then(() => this.#ended(pid, "ended"));
  }

  #ended(pid: number, how: string): void {
    if (this.#pid !== pid) return;
    this.#pid = null;
    if (!this.#wanted) return;
    this.#hooks.crashed(how);
    if (this.#service.unit !== null) {
      this.#again(() => this.#followUnit().then(() => undefined));
      return;
    }
    this.#again(() => this.#spawn());
  }

  #again(start: () => Promise<void>): void {
    this.#timer = setTimeout(() => {
      if (!this.#wanted) return;
      void start()
        .then(() => this.#hooks.changed())
        .catch((error: unknown) => {
          this.#hooks.crashed(String(error));
          this.#again(start);
        });
    }, this.#pauseMs);
    this.#pauseMs = Math.min(maxRestartMs, this.#pauseMs * 2);
  }

  async #systemctl(verb: "start" | "stop"): Promise<void> {
    const { unit, stopWithinMs, startWithinMs } = this.#service;
    const deadlineMs = stopWithinMs + startWithinMs;
    const { code, output } = await runProgram("/usr/bin/systemctl", [verb, unit as string], {
      runAs: null,
      deadlineMs,
    });
    if (code !== 0) throw new Error(`systemctl ${verb} ${unit} ended with ${code}: ${output.slice(-300)}`);
  }

  async #followUnit(): Promise<boolean> {
    const args = ["show", "-p", "MainPID", "--value", this.#service.unit as string];
    const { output } = await runProgram("/usr/bin/systemctl", args, { runAs: null, deadlineMs: 5_000 });
    const pid = Number(output.trim());
    if (!Number.isInteger(pid) || pid <= 0) return false;
    this.#pid = pid;
    this.#startedAt ??= Date.now();
    this.#watch(pid);
    return true;
  }
}

async function startTicksOf(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  if (stat === null || !(await isAlive(pid))) return null;
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
}
