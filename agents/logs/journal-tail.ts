import { type ChildProcess, spawn } from "node:child_process";
import { asObject, asText } from "../otlp/walk.ts";
import type { AppLog } from "../telemetry/span.ts";
import { LineSplitter } from "./line-splitter.ts";

const maxLineBytes = 64 * 1024;
const firstRetryMs = 1_000;
const maxRetryMs = 60_000;

export interface JournalLine {
  readonly text: string;
  readonly level: AppLog["level"];
}

export interface JournalTailOptions {
  readonly unit: string;
  /** Another program than systemd's, for systems that have it elsewhere. */
  readonly program?: string;
  onLine(line: JournalLine): void;
  onTrouble(reason: string): void;
}

/** Follows the journal of a systemd unit by `journalctl`, from now on; started again when it ends. */
export class JournalTail {
  readonly #options: JournalTailOptions;
  #child: ChildProcess | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopped = true;
  #retryMs = firstRetryMs;

  constructor(options: JournalTailOptions) {
    this.#options = options;
  }

  start(): void {
    this.#stopped = false;
    this.#run();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#child?.kill("SIGTERM");
  }

  #run(): void {
    const { unit, program = "/usr/bin/journalctl" } = this.#options;
    // Fixed program and arguments, no shell, and an empty environment.
    const child = spawn(program, ["-o", "json", "-f", "-n", "0", "-u", unit], {
      stdio: ["ignore", "pipe", "ignore"],
      env: { NODE_ENV: "production" },
    });
    this.#child = child;
    const splitter = new LineSplitter(maxLineBytes);
    child.stdout?.on("data", (chunk: Buffer) => {
      this.#retryMs = firstRetryMs;
      for (const line of splitter.push(chunk)) {
        const read = readJournalLine(line);
        if (read !== null) this.#options.onLine(read);
      }
    });
    let ended = false;
    const end = (reason: string): void => {
      if (ended || this.#stopped) return;
      ended = true;
      this.#options.onTrouble(`journal of ${unit}: ${reason}; trying again in ${this.#retryMs / 1_000} s`);
      this.#timer = setTimeout(() => this.#run(), this.#retryMs);
      this.#retryMs = Math.min(maxRetryMs, this.#retryMs * 2);
    };
    child.on("error", (error) => end(error.message));
    child.on("close", (code) => end(`journalctl ended with code ${code}`));
  }
}

/** Severities of syslog, 0 (emergency) to 7 (debug). */
const levels: readonly AppLog["level"][] = ["fatal", "fatal", "fatal", "error", "warn", "info", "info", "debug"];

/** One object of `journalctl -o json`; text that is no UTF-8 comes as a list of bytes. Null for anything else. */
export function readJournalLine(line: string): JournalLine | null {
  let values: Readonly<Record<string, unknown>>;
  try {
    values = asObject(JSON.parse(line));
  } catch {
    return null;
  }
  const raw = values.MESSAGE;
  const text = Array.isArray(raw)
    ? Buffer.from(raw.filter((byte) => typeof byte === "number")).toString("utf8")
    : asText(raw);
  if (text === "") return null;
  return { text, level: levels[Number(values.PRIORITY)] ?? "unknown" };
}
