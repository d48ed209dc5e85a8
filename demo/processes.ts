import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
}

/** Every process this user can see. Linux: /proc; elsewhere: `ps`. */
function listProcesses(): readonly ProcessEntry[] {
  if (process.platform === "linux") return readdirSync("/proc").flatMap(readProcess);
  const { stdout } = spawnSync("ps", ["-axo", "pid=,ppid="], { encoding: "utf8" });
  return stdout.split("\n").flatMap((line) => {
    const [pid, parent] = line.trim().split(/\s+/).map(Number);
    return pid && parent !== undefined ? [{ pid, parent }] : [];
  });
}

function readProcess(name: string): readonly ProcessEntry[] {
  const pid = Number(name);
  if (!Number.isInteger(pid)) return [];
  try {
    // "pid (command, may hold spaces and brackets) state ppid …"
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? [] : [{ pid, parent: Number(parent) }];
  } catch {
    return [];
  }
}

/** The given processes and all their descendants, parents first. */
export function withDescendants(roots: readonly number[]): readonly number[] {
  const children = new Map<number, number[]>();
  const alive = new Set<number>();
  for (const { pid, parent } of listProcesses()) {
    alive.add(pid);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found: number[] = [];
  const queue = roots.filter((pid) => alive.has(pid));
  while (queue.length > 0) {
    const pid = queue.shift() as number;
    if (found.includes(pid)) continue;
    found.push(pid);
    queue.push(...(children.get(pid) ?? []));
  }
  return found;
}

/**
 * PostgreSQL's processes over a data directory, the postmaster first. On Linux they are known by their working directory, which
 * finds backends whose postmaster is gone as well; elsewhere by `postmaster.pid` and parentage.
 */
export function findPostgresProcesses(dataDir: string): readonly number[] {
  const postmaster = readPostmasterPid(dataDir);
  const roots = postmaster === null ? [] : [postmaster];
  if (process.platform !== "linux") return withDescendants(roots);
  const inside = listProcesses().filter(({ pid }) => workingDirectory(pid) === dataDir);
  return inside.map(({ pid }) => pid).sort((a, b) => Number(b === postmaster) - Number(a === postmaster));
}

/** Processes that work in one of these folders. Linux only; elsewhere none is found. */
export function findProcessesIn(folders: readonly string[]): readonly number[] {
  if (process.platform !== "linux") return [];
  return listProcesses().flatMap(({ pid }) => (folders.includes(workingDirectory(pid) ?? "") ? [pid] : []));
}

/**
 * Processes of plain services that an agent started for one of these folders, known by the mark that the agent puts into their environment
 * (`agents/drivers/program/process-keeper.ts`): a working directory could be a person's shell. Linux only; elsewhere none is found.
 */
export function findProgramProcesses(folders: readonly string[]): readonly number[] {
  if (process.platform !== "linux" || folders.length === 0) return [];
  return listProcesses().flatMap(({ pid }) => {
    const mark = readEnvironment(pid).find((entry) => entry.startsWith("HOLDFAST_PROGRAM="));
    return mark !== undefined && folders.some((folder) => mark.endsWith(`:${folder}`)) ? [pid] : [];
  });
}

function readEnvironment(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return [];
  }
}

function workingDirectory(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return null;
  }
}

function readPostmasterPid(dataDir: string): number | null {
  try {
    const pid = Number(readFileSync(join(dataDir, "postmaster.pid"), "utf8").split("\n")[0]);
    return Number.isInteger(pid) && pid > 1 ? pid : null;
  } catch {
    return null;
  }
}

/** Sends a signal to each; those already gone are passed over. Answers with how many took it. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): number {
  let taken = 0;
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
      taken += 1;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
  return taken;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
