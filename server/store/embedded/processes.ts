import { execFile } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What tells a process from a later one with the same number: its start, as the system writes it. Null when there is none. */
export async function readProcessStart(pid: number): Promise<string | null> {
  if (process.platform === "linux") {
    const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
    if (text === null) return null;
    // The name in parentheses may hold anything; fields are counted after it: state is the third, start the twenty-second.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? null : (fields[19] ?? null);
  }
  const outcome = await run("ps", ["-o", "lstart=", "-p", String(pid)]).catch(() => null);
  return outcome?.stdout.trim() || null;
}

/** Processes of PostgreSQL that work in this data directory: the postmaster and its children make it their working directory. */
export async function findServersIn(dataDir: string, postmasterPid: number | null): Promise<readonly number[]> {
  if (process.platform !== "linux") {
    if (postmasterPid === null) return [];
    const outcome = await run("ps", ["-o", "command=", "-p", String(postmasterPid)]).catch(() => null);
    return outcome?.stdout.includes("postgres") ? [postmasterPid] : [];
  }
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found: number[] = [];
  for (const pid of pids) {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => null);
    if (cwd !== dataDir) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (command.includes("postgres") && (await readProcessStart(pid)) !== null) found.push(pid);
  }
  return found;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/** Nothing of ours reaches PostgreSQL: no PG* variables, no locale. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const { PATH, NODE_ENV } = process.env;
  return { PATH, NODE_ENV, LC_ALL: "C", TZ: "UTC" };
}
