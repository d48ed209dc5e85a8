import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { openSync } from "node:fs";
import type { Host } from "./network.ts";

export interface RunOptions {
  /** Another user than root. */
  readonly user?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly mayFail?: boolean;
}

function commandLine(host: Host, argv: readonly string[], options: RunOptions): readonly string[] {
  const environment = Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`);
  const as =
    options.user === undefined
      ? []
      : ["setpriv", `--reuid=${options.user}`, `--regid=${options.user}`, "--init-groups"];
  return ["netns", "exec", host.namespace, ...as, "env", "-C", "/", ...environment, ...argv];
}

/** Runs a program on a host and answers with what it printed. */
export function run(host: Host, argv: readonly string[], options: RunOptions = {}): string {
  const { status, stdout, stderr } = spawnSync("ip", commandLine(host, argv, options), {
    encoding: "utf8",
    input: options.input,
  });
  if (status !== 0 && options.mayFail !== true) {
    throw new Error(`${host.name}: ${argv.join(" ")} ended with ${status}: ${stdout}${stderr}`);
  }
  return `${stdout}${status === 0 ? "" : stderr}`.trim();
}

export interface Finished {
  readonly status: number | null;
  readonly output: string;
}

/** The same without waiting for it; its end is no error, however it ends. */
export function runLater(host: Host, argv: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = spawn("ip", [...commandLine(host, argv, options)], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output += chunk;
  });
  return new Promise((resolve) => child.on("close", (status) => resolve({ status, output: output.trim() })));
}

/** Starts a program that stays; its output goes to a file. */
export function start(host: Host, argv: readonly string[], logFile: string, options: RunOptions = {}): ChildProcess {
  const log = openSync(logFile, "a");
  return spawn("ip", [...commandLine(host, argv, options)], { stdio: ["ignore", log, log] });
}

/** Starts a program whose standard output is read. */
export function startReading(host: Host, argv: readonly string[], logFile: string): ChildProcess {
  return spawn("ip", [...commandLine(host, argv, {})], { stdio: ["ignore", "pipe", openSync(logFile, "a")] });
}

/** Answers true as soon as `look` does; false when the time is over. */
export async function waitUntil(
  look: () => boolean | Promise<boolean>,
  deadlineMs: number,
  everyMs = 50,
): Promise<boolean> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    if (await look()) return true;
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
