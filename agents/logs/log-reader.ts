import type { ErrorTrace } from "../../server/protocol/index.ts";
import type { ApplicationConfig } from "../config/telemetry-schema.ts";
import type { AppLog } from "../telemetry/span.ts";
import { FileTail } from "./file-tail.ts";
import { JournalTail } from "./journal-tail.ts";
import { LineJoiner } from "./line-joiner.ts";
import { type LogFormat, readRecord } from "./read-record.ts";

/** A record is complete when nothing was added to it for so long. */
const flushMs = 700;
/** Lines a second of one log; what comes on top is counted as left out. */
const linesPerSecond = 5_000;

export interface LogReaderOptions {
  takeLog(log: AppLog): void;
  takeError(trace: ErrorTrace): void;
  onDropped(lines: number): void;
  onTrouble(reason: string): void;
}

/** Reads the logs of one application: its files and its journal. */
export class LogReader {
  readonly #sources: { start(): void; stop(): void | Promise<void> }[];
  readonly #streams: LogStream[] = [];

  constructor(application: ApplicationConfig, options: LogReaderOptions) {
    const { name, logs, journal, unit } = application;
    this.#sources = logs.map(({ file, format }) => {
      const stream = this.#makeStream(name, format, options);
      return new FileTail({
        path: file,
        onLines: (lines) => stream.addLines(lines),
        onSkipped: () => options.onDropped(1),
        onTrouble: (reason) => options.onTrouble(`log ${file}: ${reason}`),
      });
    });
    if (!journal || unit === undefined) return;
    const stream = this.#makeStream(name, "auto", options);
    this.#sources.push(
      new JournalTail({
        unit,
        onLine: ({ text, level }) => stream.addLines(text.split("\n"), level),
        onTrouble: options.onTrouble,
      }),
    );
  }

  start(): void {
    for (const source of this.#sources) source.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.stop()));
    for (const stream of this.#streams) stream.flush();
  }

  #makeStream(name: string, format: LogFormat, options: LogReaderOptions): LogStream {
    const stream = new LogStream(name, format, options);
    this.#streams.push(stream);
    return stream;
  }
}

/** Lines of one source, joined into records and read. */
class LogStream {
  readonly #service: string;
  readonly #format: LogFormat;
  readonly #options: LogReaderOptions;
  readonly #joiner = new LineJoiner();
  #level: AppLog["level"] = "unknown";
  #timer: NodeJS.Timeout | null = null;
  #second = 0;
  #lines = 0;

  constructor(service: string, format: LogFormat, options: LogReaderOptions) {
    this.#service = service;
    this.#format = format;
    this.#options = options;
  }

  /** `level`: as the source says; `unknown` where only the text can tell. */
  addLines(lines: readonly string[], level: AppLog["level"] = "unknown"): void {
    const allowed = this.#allow(lines.length);
    if (allowed < lines.length) this.#options.onDropped(lines.length - allowed);
    for (const line of lines.slice(0, allowed)) {
      const record = this.#joiner.add(line);
      if (record !== null) this.#take(record);
      this.#level = level;
    }
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = this.#joiner.isOpen ? setTimeout(() => this.flush(), flushMs) : null;
  }

  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const record = this.#joiner.flush();
    if (record !== null) this.#take(record);
  }

  #take(record: string): void {
    const read = readRecord(this.#service, this.#format, record, Date.now());
    if (read === null) this.#options.onDropped(1);
    else if (read.kind === "error") this.#options.takeError(read.trace);
    else this.#options.takeLog(this.#level === "unknown" ? read.log : { ...read.log, level: this.#level });
  }

  #allow(count: number): number {
    const second = Math.floor(Date.now() / 1_000);
    if (second !== this.#second) this.#lines = 0;
    this.#second = second;
    const allowed = Math.min(count, Math.max(0, linesPerSecond - this.#lines));
    this.#lines += allowed;
    return allowed;
  }
}
