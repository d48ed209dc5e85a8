import { limits } from "../../server/protocol/limits.ts";
import {
  type ConnectionReport,
  type DroppedCounts,
  noneDropped,
  type SeenService,
  type TelemetryFrame,
} from "../../server/protocol/telemetry-frame.ts";
import { LogCounter } from "./log-counter.ts";
import { packFrames } from "./pack-frames.ts";
import type { AppLog, AppSpan } from "./span.ts";
import { SpanSample } from "./span-sample.ts";
import { TrafficCounts } from "./traffic-counts.ts";

/** A service that exported nothing for this long is not named any more. */
const seenForMs = 60_000;
const keptWhileAwayS = 60;
/** Connections that stay as they are are told this often: who has heard nothing for minutes takes them for gone. */
const sameConnectionsMs = 60_000;

export interface DeclaredService {
  readonly name: string;
  readonly dependsOn: readonly string[];
}

export interface TelemetryHubOptions {
  readonly declared: readonly DeclaredService[];
  /** Sampled spans a second. */
  readonly spanBudget: number;
}

/** What the agent knows of the services of its node, gathered from all receivers, until the next frame takes it. */
export class TelemetryHub {
  readonly #declared: ReadonlyMap<string, DeclaredService>;
  readonly #seen = new Map<string, { version: string | null; atMs: number }>();
  readonly #traffic = new TrafficCounts((count) => this.drop("calls", count));
  readonly #sample: SpanSample;
  readonly #logs = new LogCounter((count) => this.drop("logs", count));
  #gauges = new Map<string, { readonly service: string | null; readonly name: string; readonly value: number }>();
  #dropped: DroppedCounts = noneDropped;
  #connections: { readonly report: ConnectionReport; readonly text: string } | null = null;
  #told: { readonly text: string; readonly atMs: number } | null = null;

  constructor({ declared, spanBudget }: TelemetryHubOptions) {
    this.#declared = new Map(declared.slice(0, limits.maxServicesPerFrame).map((service) => [service.name, service]));
    this.#sample = new SpanSample(spanBudget, (count) => this.drop("spans", count));
  }

  takeSpans(spans: readonly AppSpan[], nowMs = Date.now()): void {
    for (const span of spans) {
      if (!this.#see(span.service, span.version, nowMs)) continue;
      this.#traffic.add(span, nowMs);
      this.#sample.add(span);
    }
  }

  takeLog(log: AppLog, nowMs = Date.now()): void {
    if (!this.#see(log.service, null, nowMs)) return;
    this.#logs.add(log, log.traceId !== null && this.#sample.keeps(log.traceId));
  }

  /** `service` null: of the host. The newest value before a frame counts. */
  setGauge(service: string | null, name: string, value: number, nowMs = Date.now()): void {
    if (!Number.isFinite(value) || (service !== null && !this.#see(service, null, nowMs))) return;
    const key = `${service ?? ""}\n${name}`;
    if (this.#gauges.size < limits.maxGaugesPerFrame || this.#gauges.has(key))
      this.#gauges.set(key, { service, name, value });
  }

  /** All connections of now; null: none are known. */
  setConnections(report: ConnectionReport | null): void {
    this.#connections = report === null ? null : { report, text: JSON.stringify(report) };
  }

  drop(what: keyof DroppedCounts, count: number): void {
    this.#dropped = { ...this.#dropped, [what]: Math.min(1e9, this.#dropped[what] + count) };
  }

  /** Frames for all that came since the last ones; none when there is nothing to say. */
  takeFrames(nowMs = Date.now()): readonly TelemetryFrame[] {
    const parts = {
      at: nowMs,
      services: this.#services(nowMs),
      gauges: [...this.#gauges.values()],
      buckets: this.#traffic.take(),
      logs: this.#logs.take(),
      spans: this.#sample.take(nowMs),
      dropped: this.#dropped,
      connections: this.#takeConnections(nowMs),
    };
    this.#gauges = new Map();
    this.#dropped = noneDropped;
    const lists = [parts.services, parts.gauges, parts.buckets, parts.logs, parts.spans.trace];
    if (
      [
        ...lists,
        Object.values(parts.dropped).filter((count) => count > 0),
        parts.connections === null ? [] : [0],
      ].every((list) => list.length === 0)
    )
      return [];
    const { frames, left } = packFrames(parts);
    this.drop("calls", left.calls);
    this.drop("logs", left.logs);
    return frames;
  }

  /** While there is no connection: what would come too late is forgotten, so that nothing grows. */
  forgetOld(nowMs = Date.now()): void {
    this.#traffic.forgetBefore(Math.floor(nowMs / 1_000) - keptWhileAwayS);
    // Counted by the second in which they are sent, they would look like a sudden burst.
    this.#logs.take();
    // Whoever is there afterwards may know nothing.
    this.#told = null;
  }

  #takeConnections(nowMs: number): ConnectionReport | null {
    const connections = this.#connections;
    if (connections === null) return null;
    const { report, text } = connections;
    if (this.#told?.text === text && nowMs - this.#told.atMs < sameConnectionsMs) return null;
    this.#told = { text, atMs: nowMs };
    return report;
  }

  /** False when there are too many services already. */
  #see(name: string, version: string | null, nowMs: number): boolean {
    const known = this.#seen.get(name);
    if (known !== undefined) {
      known.atMs = nowMs;
      known.version = version ?? known.version;
      return true;
    }
    if (this.#seen.size >= limits.maxServicesPerFrame && !this.#forgetOneSeen(nowMs)) {
      this.drop("services", 1);
      return false;
    }
    this.#seen.set(name, { version, atMs: nowMs });
    return true;
  }

  #forgetOneSeen(nowMs: number): boolean {
    for (const [name, { atMs }] of this.#seen) {
      if (nowMs - atMs > seenForMs) return this.#seen.delete(name);
    }
    return false;
  }

  #services(nowMs: number): SeenService[] {
    const names = new Set([...this.#declared.keys()]);
    for (const [name, { atMs }] of this.#seen) if (nowMs - atMs <= seenForMs) names.add(name);
    return [...names].slice(0, limits.maxServicesPerFrame).map((name) => ({
      name,
      version: this.#seen.get(name)?.version ?? null,
      dependsOn: this.#declared.get(name)?.dependsOn ?? [],
      declared: this.#declared.has(name),
    }));
  }
}
