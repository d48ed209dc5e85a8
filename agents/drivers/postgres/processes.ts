import { spawn } from "node:child_process";
import { readdir, readFile, readlink, realpath } from "node:fs/promises";
import { hasCode } from "../../shared/durable-file.ts";
import { messageOf, poll, sleep } from "../../shared/time.ts";

/** The operating system's side of a PostgreSQL server. */

export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/** Whether the kernel has an entry for this pid; also true for a dead process that nobody reaped. */
export function hasProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, "EPERM");
  }
}

/** Whether a process is there and not just waiting to be reaped by its parent. */
export async function isAlive(pid: number): Promise<boolean> {
  if (!hasProcess(pid)) return false;
  if (process.platform !== "linux") return true;
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

/** Sends a signal; false when the process is gone. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

export async function waitForExit(pid: number, deadlineMs: number): Promise<boolean> {
  const gone = await poll(async () => ((await isAlive(pid)) ? null : true), { intervalMs: 5, deadlineMs });
  return gone === true;
}

/** The postmaster's pid by its pid file, when that process is alive. */
export async function findPostmaster(dataDir: string): Promise<number | null> {
  let text: string;
  try {
    text = await readFile(`${dataDir}/postmaster.pid`, "utf8");
  } catch {
    return null;
  }
  const pid = Number.parseInt(text.split("\n")[0] ?? "", 10);
  if (!Number.isInteger(pid) || pid <= 1 || !(await isAlive(pid))) return null;
  return (await worksIn(pid, dataDir)) ? pid : null;
}

/** After a crash the pid may belong to another program: PostgreSQL's processes work in their data directory. */
async function worksIn(pid: number, dataDir: string): Promise<boolean> {
  if (process.platform !== "linux") return true;
  try {
    return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(dataDir));
  } catch {
    return true;
  }
}

/**
 * Whether a postmaster that shuts down has served its standbys to the end: its WAL senders stay until everything is confirmed, or their
 * connection is gone (PostgreSQL, `WalSndDone`). False where the kernel does not tell a process's children.
 */
export async function hasNoSenders(postmaster: number): Promise<boolean> {
  const children = await readFile(`/proc/${postmaster}/task/${postmaster}/children`, "utf8").catch(() => null);
  if (children === null) return false;
  for (const pid of children.split(" ").filter((text) => text !== "")) {
    const title = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (title.includes("walsender")) return false;
  }
  return true;
}

/**
 * Kills what a dead postmaster left behind: a busy backend goes on for as long as its query runs, and keeps a new server from starting.
 * Answers with the number killed. Linux only; elsewhere PostgreSQL's own interlock refuses to start until they are gone.
 */
export async function killOrphans(dataDir: string): Promise<number> {
  if (process.platform !== "linux") return 0;
  const directory = await realpath(dataDir).catch(() => null);
  if (directory === null) return 0;
  const killed: number[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    const cwd = await readlink(`/proc/${entry}/cwd`).catch(() => null);
    if (cwd !== directory) continue;
    const command = await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "");
    if (command.includes("postgres") && signal(Number(entry), "SIGKILL")) killed.push(Number(entry));
  }
  // As long as one is there, shared memory is in use and a new server refuses to start.
  for (const pid of killed) await waitForExit(pid, 2_000);
  return killed.length;
}

/** Stops a postmaster. `fast`: sessions ended, shutdown checkpoint, standbys served to the end. `immediate`: at once, as a crash. */
export async function stopPostmaster(pid: number, mode: "fast" | "immediate", deadlineMs: number): Promise<boolean> {
  if (!signal(pid, mode === "fast" ? "SIGINT" : "SIGQUIT")) return true;
  return waitForExit(pid, deadlineMs);
}

/** Kills a postmaster for good, also one that is stopped (SIGSTOP), with everything it started. */
export async function killPostmaster(pid: number, dataDir: string): Promise<void> {
  signal(pid, "SIGKILL");
  await waitForExit(pid, 2_000);
  await killOrphans(dataDir);
  await sleep(0);
}

/** Nothing of the agent's environment but the search path reaches a program. */
export function cleanEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH ?? "/usr/bin:/bin", LC_ALL: "C", ...extra } as unknown as NodeJS.ProcessEnv;
}

export interface RunResult {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a program by fixed path and arguments, no shell, with a time limit and at most 64 KiB of its output kept. */
export function runProgram(
  path: string,
  args: readonly string[],
  options: {
    readonly runAs: RunAs | null;
    readonly deadlineMs: number;
    readonly env?: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
    readonly cwd?: string;
  },
): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: cleanEnvironment(options.env),
      cwd: options.cwd ?? "/",
      ...(options.signal ? { signal: options.signal } : {}),
      ...(options.runAs ? { uid: options.runAs.uid, gid: options.runAs.gid } : {}),
    });
    let output = "";
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString("utf8")).slice(-65_536);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const timer = setTimeout(() => {
      output += `\nended after ${options.deadlineMs} ms`;
      child.kill("SIGKILL");
    }, options.deadlineMs);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(new Error(`${path} could not be run: ${messageOf(error)}`));
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, output });
    });
  });
}
