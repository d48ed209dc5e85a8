import type { Server } from "node:http";
import type { ErrorTrace, TelemetryFrame } from "../../server/protocol/index.ts";
import type { TelemetryConfig } from "../config/telemetry-schema.ts";
import { ErrorCounter } from "../errors/error-counter.ts";
import { readLogs } from "../otlp/read-logs.ts";
import { readSpans } from "../otlp/read-spans.ts";
import { startOtlpReceiver, type Taken } from "../otlp/receiver.ts";
import type { Values } from "../otlp/walk.ts";
import type { Log } from "../shared/log.ts";
import { TelemetryHub } from "./telemetry-hub.ts";

const errorPeriodMs = 1_000;
const frameMs = 1_000;
/** Bad payloads are told in the log this often at most. */
const complainMs = 60_000;

export interface ServiceTelemetryOptions {
  readonly config: TelemetryConfig;
  readonly log: Log;
  connected(): boolean;
  send(frame: TelemetryFrame): boolean;
  /** Resolves when the record would survive a power cut. */
  storeError(trace: ErrorTrace, at: number): Promise<void>;
}

/** Everything about the services of this node: receivers on one side, a frame a second on the other. */
export class ServiceTelemetry {
  readonly hub: TelemetryHub;
  readonly errors: ErrorCounter;
  readonly #options: ServiceTelemetryOptions;
  readonly #aliases: ReadonlyMap<string, string>;
  #otlp: Server | null = null;
  #timer: NodeJS.Timeout | null = null;
  #complainedMs = Number.NEGATIVE_INFINITY;

  constructor(options: ServiceTelemetryOptions) {
    this.#options = options;
    const { applications, spansPerSecond } = options.config;
    this.hub = new TelemetryHub({ declared: applications, spanBudget: spansPerSecond });
    this.errors = new ErrorCounter({
      periodMs: errorPeriodMs,
      store: options.storeError,
      onDropped: (count) => this.hub.drop("errors", count),
    });
    this.#aliases = new Map(applications.flatMap(({ name, addresses }) => addresses.map((each) => [each, name])));
  }

  /** @throws Error when the OTLP port is taken. */
  async start(): Promise<void> {
    const { otlp } = this.#options.config;
    if (otlp !== null) {
      this.#otlp = await startOtlpReceiver({
        host: otlp.host,
        port: otlp.port,
        limits: { maxPerSecond: otlp.maxPerSecond, maxPerRequest: 20_000 },
        takeTraces: (request, most) => this.#takeTraces(request, most),
        takeLogs: (request, most) => this.#takeLogs(request, most),
        onRefused: (kind, count) => this.hub.drop(kind, count),
        onBadPayload: (reason) => this.#complain(reason),
      });
    }
    this.#timer = setInterval(() => this.tick(), frameMs);
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    this.#otlp?.close();
    this.#otlp?.closeAllConnections();
    await this.errors.flush();
  }

  /** Sends what there is to say. */
  tick(): void {
    if (!this.#options.connected()) {
      this.hub.forgetOld();
      return;
    }
    for (const frame of this.hub.takeFrames()) this.#options.send(frame);
  }

  #takeTraces(request: Values, most: number): Taken {
    const { spans, errors, rejected, reason } = readSpans(request, this.#aliases, most);
    this.hub.takeSpans(spans);
    void this.errors.add(errors).catch(() => undefined);
    return { accepted: spans.length, rejected, reason };
  }

  #takeLogs(request: Values, most: number): Taken {
    const nowMs = Date.now();
    const { logs, errors, rejected, reason } = readLogs(request, most, nowMs);
    for (const log of logs) this.hub.takeLog(log, nowMs);
    void this.errors.add(errors).catch(() => undefined);
    return { accepted: logs.length + errors.length, rejected, reason };
  }

  #complain(reason: string): void {
    this.hub.drop("payloads", 1);
    const nowMs = Date.now();
    if (nowMs - this.#complainedMs < complainMs) return;
    this.#complainedMs = nowMs;
    this.#options.log("warn", "an OTLP request was refused", { reason });
  }
}
