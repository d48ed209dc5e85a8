import type { Server } from "node:http";
import type { ErrorTrace, TelemetryFrame } from "../../server/protocol/index.ts";
import { Connections } from "../collectors/connections.ts";
import { HostGauges } from "../collectors/host-gauges.ts";
import { findFamilies, ProcessUsage } from "../collectors/process-usage.ts";
import type { Watched } from "../collectors/socket-owners.ts";
import type { ApplicationConfig, TelemetryConfig } from "../config/telemetry-schema.ts";
import { ErrorCounter } from "../errors/error-counter.ts";
import type { GaugeReport } from "../http/reports.ts";
import { LogReader } from "../logs/log-reader.ts";
import { readLogs } from "../otlp/read-logs.ts";
import { readMetrics } from "../otlp/read-metrics.ts";
import { readSpans } from "../otlp/read-spans.ts";
import { startOtlpReceiver, type Taken } from "../otlp/receiver.ts";
import type { Values } from "../otlp/walk.ts";
import type { Log } from "../shared/log.ts";
import { Repeater } from "../shared/repeater.ts";
import { TelemetryHub } from "./telemetry-hub.ts";

const errorPeriodMs = 1_000;
const frameMs = 1_000;
const processMs = 2_000;
const hostMs = 5_000;
const connectionsMs = 10_000;
/** Bad payloads are told in the log this often at most. */
const complainMs = 60_000;

export interface ServiceTelemetryOptions {
  readonly config: TelemetryConfig;
  readonly log: Log;
  connected(): boolean;
  send(frame: TelemetryFrame): boolean;
  /** Servers and programs that the agent keeps itself; `pid` null while one does not run. */
  kept(): readonly { readonly name: string; readonly kind: Watched["kind"]; readonly pid: number | null }[];
  /** Resolves when the record would survive a power cut. */
  storeError(trace: ErrorTrace, at: number): Promise<void>;
}

/** Everything about the services of this node: receivers on one side, a frame a second on the other. */
export class ServiceTelemetry {
  readonly hub: TelemetryHub;
  readonly errors: ErrorCounter;
  readonly #options: ServiceTelemetryOptions;
  readonly #aliases: ReadonlyMap<string, string>;
  readonly #loops: readonly Repeater[];
  readonly #logs: readonly LogReader[];
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
    const usages = applications.map((application) => ({
      name: application.name,
      usage: new ProcessUsage(application),
    }));
    const host = new HostGauges();
    this.#aliases = new Map(applications.flatMap(({ name, addresses }) => addresses.map((each) => [each, name])));
    const connections = new Connections({
      // An application that names the same processes comes first: its name is the one that people chose.
      watched: async () => [
        ...usages.map(({ name, usage }) => ({ name, kind: "service" as const, pids: usage.pids })),
        ...(await this.#keptProcesses()),
      ],
      aliases: this.#aliases,
      onTrouble: (message, detail) => options.log("warn", message, detail),
      onDropped: (count) => this.hub.drop("calls", count),
    });
    this.#loops = [
      new Repeater(processMs, async () => {
        for (const { name, usage } of usages) this.#setGauges(name, await usage.collect());
      }),
      new Repeater(hostMs, async () => this.#setGauges(null, await host.collect())),
      new Repeater(connectionsMs, async () => this.hub.setConnections(await connections.collect())),
    ];
    this.#logs = applications.map((application) => this.#makeLogReader(application));
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
        takeMetrics: (request, most) => this.#takeMetrics(request, most),
        onRefused: (kind, count) => {
          if (kind !== "points") this.hub.drop(kind, count);
        },
        onBadPayload: (reason) => this.#complain(reason),
      });
    }
    for (const part of [...this.#loops, ...this.#logs]) part.start();
    this.#timer = setInterval(() => this.tick(), frameMs);
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    this.#otlp?.close();
    this.#otlp?.closeAllConnections();
    for (const loop of this.#loops) loop.stop();
    await Promise.all(this.#logs.map((reader) => reader.stop()));
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

  takeErrors(traces: readonly ErrorTrace[]): void {
    // Whoever could not be counted is in `dropped`.
    void this.errors.add(traces).catch(() => undefined);
  }

  takeGauges({ service, gauges }: GaugeReport): void {
    this.#setGauges(service, gauges);
  }

  async #keptProcesses(): Promise<Watched[]> {
    const running = this.#options.kept().flatMap(({ pid, ...each }) => (pid === null ? [] : [{ ...each, pid }]));
    const families = await findFamilies(running.map(({ pid }) => pid));
    return running.map(({ name, kind }, i) => ({ name, kind, pids: families[i] ?? [] }));
  }

  #setGauges(service: string | null, gauges: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(gauges)) this.hub.setGauge(service, name, value);
  }

  #makeLogReader(application: ApplicationConfig): LogReader {
    return new LogReader(application, {
      takeLog: (log) => this.hub.takeLog(log),
      takeError: (trace) => this.takeErrors([trace]),
      onDropped: (lines) => this.hub.drop("logs", lines),
      onTrouble: (reason) => this.#options.log("warn", "a log can't be read", { service: application.name, reason }),
    });
  }

  #takeTraces(request: Values, most: number): Taken {
    const { spans, errors, rejected, reason } = readSpans(request, this.#aliases, most);
    this.hub.takeSpans(spans);
    this.takeErrors(errors);
    return { accepted: spans.length, rejected, reason };
  }

  #takeLogs(request: Values, most: number): Taken {
    const nowMs = Date.now();
    const { logs, errors, rejected, reason } = readLogs(request, most, nowMs);
    for (const log of logs) this.hub.takeLog(log, nowMs);
    this.takeErrors(errors);
    return { accepted: logs.length + errors.length, rejected, reason };
  }

  #takeMetrics(request: Values, most: number): Taken {
    const { gauges, accepted, rejected, reason } = readMetrics(request, most);
    for (const { service, name, value } of gauges) this.hub.setGauge(service, name, value);
    return { accepted, rejected, reason };
  }

  #complain(reason: string): void {
    this.hub.drop("payloads", 1);
    const nowMs = Date.now();
    if (nowMs - this.#complainedMs < complainMs) return;
    this.#complainedMs = nowMs;
    this.#options.log("warn", "an OTLP request was refused", { reason });
  }
}
