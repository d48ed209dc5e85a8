import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

export interface ChildOptions {
  readonly name: string;
  /** Path of the script and its arguments, run by this Node. */
  readonly args: readonly string[];
  readonly logPath: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Opens a message channel to the child. */
  readonly ipc?: boolean;
}

/** Starts a Node process in a process group of its own, so that the terminal's Ctrl-C reaches only the supervisor; output goes to a file. */
export function startChild(options: ChildOptions): ChildProcess {
  mkdirSync(dirname(options.logPath), { recursive: true });
  const log = openSync(options.logPath, "a");
  try {
    return spawn(process.execPath, [...options.args], {
      cwd: options.cwd ?? process.cwd(),
      env: { ...process.env, ...options.environment },
      detached: true,
      stdio: options.ipc ? ["ignore", log, log, "ipc"] : ["ignore", log, log],
    });
  } finally {
    closeSync(log);
  }
}

/** The last lines of a log, for a message about a process that ended. */
export function readLogTail(path: string, lines = 15): string {
  try {
    return readFileSync(path, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "(no output)";
  }
}

/** Resolves when the child has ended; false after the deadline. */
export function waitForEnd(child: ChildProcess, deadlineMs: number): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(true);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), deadlineMs);
    child.once("exit", () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
