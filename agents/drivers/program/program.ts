import type { ProgramStatus } from "../../../server/core/index.ts";
import type { Log } from "../../shared/log.ts";
import { messageOf, poll } from "../../shared/time.ts";
import { runProgram } from "../postgres/processes.ts";
import { fileVersion } from "./config-files.ts";
import { HealthWatch } from "./health.ts";
import { ProcessKeeper } from "./process-keeper.ts";
import { currentRelease, listReleases, switchRelease } from "./releases.ts";
import type { ProgramFile, ProgramService } from "./service.ts";

const errorWindowMs = 60_000;
const refreshMs = 2_000;
const reloadWithinMs = 20_000;

export interface ProgramHooks {
  readonly log: Log;
  changed(): void;
}

/** A plain service on this node: its process, its releases, its health. */
export class Program {
  readonly service: ProgramService;
  readonly #hooks: ProgramHooks;
  readonly #keeper: ProcessKeeper;
  readonly #health: HealthWatch | null;
  #version: string | null = null;
  #releases: readonly string[] = [];
  #files: ProgramStatus["files"] = [];
  #crashes = 0;
  #lastEnd = "";
  #switchedAt = 0;
  #errors: { readonly at: number; readonly count: number }[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(service: ProgramService, hooks: ProgramHooks) {
    this.service = service;
    this.#hooks = hooks;
    this.#keeper = new ProcessKeeper(service, {
      crashed: (how) => {
        this.#crashes += 1;
        this.#lastEnd = how;
        hooks.log("warn", `${service.name} ended by itself`, { how, version: this.#version });
        hooks.changed();
      },
      changed: () => hooks.changed(),
    });
    this.#health = service.health === null ? null : new HealthWatch(service.health, () => hooks.changed());
  }

  /** Finds what runs, or starts what the switch points at. */
  async boot(): Promise<void> {
    await this.refresh();
    this.#timer = setInterval(() => void this.refresh().catch(() => undefined), refreshMs);
    this.#health?.start();
    if (await this.#keeper.adopt()) return;
    if (this.#version === null) return;
    await this.#keeper.start().catch((error: unknown) => this.#failedToStart(error));
  }

  /** The agent ends. The process goes on, unless the configuration says otherwise. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#health?.stop();
    if (this.service.stopWithAgent) await this.#keeper.stop();
    else this.#keeper.leave();
  }

  /** Switches to a release and starts it. Resolves when it is healthy, or says why it is not. */
  async switchTo(version: string | null): Promise<{ readonly ok: boolean; readonly detail: string }> {
    const runs = this.#version === version && this.#keeper.pid !== null && this.#crashes === 0;
    if (runs) return this.#becomeHealthy();
    await switchRelease(this.service.dir, version);
    return this.restart();
  }

  /** Stops and starts what the switch points at. */
  async restart(): Promise<{ readonly ok: boolean; readonly detail: string }> {
    await this.#keeper.stop();
    this.#crashes = 0;
    this.#switchedAt = Date.now();
    this.#health?.reset();
    await this.refresh();
    this.#hooks.changed();
    if (this.#version === null) return { ok: true, detail: "stopped" };
    try {
      await this.#keeper.start();
    } catch (error) {
      this.#failedToStart(error);
      return { ok: false, detail: messageOf(error) };
    }
    return this.#becomeHealthy();
  }

  async reload(file: ProgramFile): Promise<{ readonly ok: boolean; readonly detail: string }> {
    if (file.reload === "restart") return this.restart();
    this.#crashes = 0;
    this.#switchedAt = Date.now();
    if ("signal" in file.reload) {
      const sent = this.#keeper.send(file.reload.signal);
      return sent ? this.#becomeHealthy() : { ok: false, detail: "it does not run" };
    }
    const [program, ...args] = file.reload.command;
    const options = { runAs: this.service.runAs, deadlineMs: reloadWithinMs };
    const { code, output } = await runProgram(program as string, args, options);
    if (code === 0) return this.#becomeHealthy();
    return { ok: false, detail: `the reload ended with ${code}: ${output.trim().slice(-200)}` };
  }

  /** Traces that the service reported through this agent. */
  countErrors(count: number): void {
    this.#errors.push({ at: Date.now(), count });
    const since = Date.now() - 10 * errorWindowMs;
    this.#errors = this.#errors.filter(({ at }) => at >= since).slice(-1_000);
  }

  status(): Omit<ProgramStatus, "change"> {
    const { pid } = this.#keeper;
    const healthy = this.#health?.healthy ?? null;
    const total = (from: number, to: number) =>
      this.#errors.reduce((sum, { at, count }) => (at >= from && at < to ? sum + count : sum), 0);
    const end = this.#crashes > 0 && this.#lastEnd !== "" ? `ended: ${this.#lastEnd}` : "";
    return {
      name: this.service.name,
      version: this.#version,
      releases: this.#releases,
      state: this.#state(pid, healthy),
      pid,
      healthy: this.#health === null && pid !== null ? true : healthy,
      health: end === "" ? (this.#health?.detail ?? "") : end,
      since: pid === null ? null : this.#keeper.startedAt,
      crashes: this.#crashes,
      errors: total(Math.max(this.#switchedAt, Date.now() - errorWindowMs), Number.MAX_SAFE_INTEGER),
      errorsBefore: total(this.#switchedAt - errorWindowMs, this.#switchedAt),
      files: this.#files,
    };
  }

  async refresh(): Promise<void> {
    const { dir, files } = this.service;
    [this.#version, this.#releases, this.#files] = await Promise.all([
      currentRelease(dir),
      listReleases(dir),
      Promise.all(files.map(async (file) => ({ name: file.name, version: await fileVersion(file) }))),
    ]);
  }

  #state(pid: number | null, healthy: boolean | null): ProgramStatus["state"] {
    if (pid === null) return this.#crashes > 0 ? "failed" : "stopped";
    return this.#health !== null && healthy === null ? "starting" : "running";
  }

  async #becomeHealthy(): Promise<{ readonly ok: boolean; readonly detail: string }> {
    const health = this.#health;
    if (health === null) return { ok: this.#crashes === 0, detail: this.#lastEnd };
    const crashesBefore = this.#crashes;
    const verdict = await poll(
      () => (this.#crashes > crashesBefore ? "crashed" : health.healthy === true ? "healthy" : null),
      { intervalMs: 50, deadlineMs: this.service.startWithinMs },
    );
    if (verdict === "healthy") return { ok: true, detail: health.detail };
    if (verdict === "crashed") return { ok: false, detail: `it ended by itself: ${this.#lastEnd}` };
    health.giveUp();
    return { ok: false, detail: `not healthy within ${this.service.startWithinMs} ms: ${health.detail}` };
  }

  #failedToStart(error: unknown): void {
    this.#crashes += 1;
    this.#lastEnd = messageOf(error);
    this.#hooks.log("error", `${this.service.name} could not be started`, { error: messageOf(error) });
    this.#hooks.changed();
  }
}
