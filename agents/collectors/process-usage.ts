import { readdir, readFile } from "node:fs/promises";
import type { ApplicationConfig } from "../config/telemetry-schema.ts";
import { monotonicMs } from "../shared/time.ts";
import { readProc } from "./proc.ts";

/** Ticks of `/proc/PID/stat` are 1/100 s on every Linux that Node runs on. */
const ticksPerSecond = 100;
const pageBytes = 4_096;
/** Looking through all processes costs more than looking at known ones. */
const searchEveryMs = 10_000;
/** While none is there: a service that starts is seen soon, and one that is gone does not cost the machine. */
const searchAbsentEveryMs = 4_000;
const processesOfService = 256;

export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly cpuTicks: number;
  readonly threads: number;
  readonly memoryBytes: number;
  /** Since the machine's start, ticks: another process of the same number has another. */
  readonly startTicks: number;
}

/** Figures of one application's processes: what they use together. */
export class ProcessUsage {
  readonly #application: ApplicationConfig;
  #pids: readonly number[] = [];
  #searchedMs = Number.NEGATIVE_INFINITY;
  #before: { readonly atMs: number; readonly cpu: ReadonlyMap<string, number> } | null = null;

  constructor(application: ApplicationConfig) {
    this.#application = application;
  }

  /** Gauges by name; empty while the processes are not found. */
  async collect(): Promise<Record<string, number>> {
    const nowMs = monotonicMs();
    if (nowMs - this.#searchedMs >= (this.#pids.length === 0 ? searchAbsentEveryMs : searchEveryMs)) {
      this.#searchedMs = nowMs;
      this.#pids = (await findProcesses(this.#application)).slice(0, processesOfService);
    }
    const stats = (await Promise.all(this.#pids.map(readStat))).filter((stat) => stat !== null);
    if (stats.length === 0) {
      this.#pids = [];
      this.#before = null;
      return this.#isWatched ? { processes: 0 } : {};
    }
    const files = await Promise.all(stats.map(({ pid }) => countOpenFiles(pid)));
    return {
      processes: stats.length,
      memoryBytes: sum(stats.map((stat) => stat.memoryBytes)),
      threads: sum(stats.map((stat) => stat.threads)),
      openFiles: sum(files),
      ...this.#cpu(stats, nowMs),
    };
  }

  /** The processes that were found last. */
  get pids(): readonly number[] {
    return this.#pids;
  }

  get #isWatched(): boolean {
    const { pidFile, command, unit } = this.#application;
    return pidFile !== undefined || command !== undefined || unit !== undefined;
  }

  /** Share of one core since the last look, in percent; several busy cores are several hundred. */
  #cpu(stats: readonly ProcessStat[], nowMs: number): { cpuPercent?: number } {
    const cpu = new Map(stats.map((stat) => [`${stat.pid}/${stat.startTicks}`, stat.cpuTicks]));
    const before = this.#before;
    this.#before = { atMs: nowMs, cpu };
    if (before === null || nowMs <= before.atMs) return {};
    const seconds = (nowMs - before.atMs) / 1_000;
    const used = sum([...cpu].map(([key, ticks]) => Math.max(0, ticks - (before.cpu.get(key) ?? ticks))));
    return { cpuPercent: (100 * used) / ticksPerSecond / seconds };
  }
}

async function findProcesses({ pidFile, command, unit }: ApplicationConfig): Promise<number[]> {
  if (unit !== undefined && pidFile === undefined && command === undefined) return readUnit(unit);
  if (pidFile === undefined && command === undefined) return [];
  const named = pidFile === undefined ? null : Number((await readText(pidFile)).trim().split(/\s/, 1)[0]);
  const all = await listProcesses();
  // A file that is not there says 0, and 0 is the parent of everything.
  const roots = named === null ? await matchCommand(all, command ?? "") : named > 0 ? [named] : [];
  return withDescendants(all, roots);
}

/** The cgroup of a unit holds all of its processes. Source: systemd's "Control Group APIs and Delegation". */
async function readUnit(unit: string): Promise<number[]> {
  const name = unit.includes(".") ? unit : `${unit}.service`;
  const text = await readText(`/sys/fs/cgroup/system.slice/${name}/cgroup.procs`);
  return text
    .split("\n")
    .map(Number)
    .filter((pid) => pid > 0);
}

/** Each of these processes with its children and their children. */
export async function findFamilies(roots: readonly number[]): Promise<(readonly number[])[]> {
  if (roots.length === 0) return [];
  const all = await listProcesses();
  return roots.map((root) => withDescendants(all, [root]).slice(0, processesOfService));
}

async function listProcesses(): Promise<ProcessStat[]> {
  const names = await readdir("/proc").catch(() => []);
  const stats = await Promise.all(names.filter((name) => /^\d+$/.test(name)).map((name) => readStat(Number(name))));
  return stats.filter((stat) => stat !== null);
}

/** Processes whose command line holds all the words; not this agent, whose configuration may name them too. */
async function matchCommand(all: readonly ProcessStat[], command: string): Promise<number[]> {
  const words = command.split(/\s+/);
  const found = await Promise.all(
    all.map(async ({ pid }) => {
      const line = readProc(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
      return pid !== process.pid && line !== "" && words.every((word) => line.includes(word)) ? pid : null;
    }),
  );
  return found.filter((pid) => pid !== null);
}

function withDescendants(all: readonly ProcessStat[], roots: readonly number[]): number[] {
  const found = new Set(roots);
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

async function readStat(pid: number): Promise<ProcessStat | null> {
  return parseStat(readProc(`/proc/${pid}/stat`));
}

/** Source: proc(5), `/proc/pid/stat`. The name stands in brackets and may hold anything. */
export function parseStat(text: string): ProcessStat | null {
  const close = text.lastIndexOf(")");
  if (close < 0) return null;
  const fields = text.slice(close + 2).split(" ");
  const field = (number: number): number => Number(fields[number - 3]);
  if (fields[0] === "Z") return null;
  return {
    pid: Number.parseInt(text, 10),
    parent: field(4),
    cpuTicks: field(14) + field(15),
    threads: field(20),
    startTicks: field(22),
    memoryBytes: field(24) * pageBytes,
  };
}

async function countOpenFiles(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`).catch(() => [])).length;
}

async function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
