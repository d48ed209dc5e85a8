import type {
  CallCount,
  DroppedCounts,
  PeerKind,
  SeenService,
  ServiceKind,
  TelemetryFrame,
} from "../../protocol/index.ts";
import { ConnectionRecords } from "./connection-records.ts";
import { GaugeSeries } from "./gauge-series.ts";
import { LogCounts } from "./log-counts.ts";
import { secondsKept } from "./second-series.ts";
import { SpanStore, trim } from "./span-store.ts";
import { TrafficSeries } from "./traffic-series.ts";

const servicesKept = 400;
const callsKept = 1_500;
const hostsKept = 1_000;
const gaugesOfService = 32;
const gaugesOfHost = 64;
const joinedKept = 5_000;
const keptMs = secondsKept * 1_000;
/** A node's clock counts as right within this. */
const clockToleranceMs = 2_000;

export interface ServiceRecord {
  readonly name: string;
  /** Node → when it last said so, our wall clock. */
  readonly nodes: Map<string, number>;
  /** Node → the dependencies that its configuration declares. */
  readonly declared: Map<string, { readonly dependsOn: readonly string[]; readonly atMs: number }>;
  /** What was brought last, and when it came to its first node. */
  version: string | null;
  versionSince: number | null;
  /** Node → the version that it runs: two for weeks are no release. */
  readonly versions: Map<string, string>;
  lastSeenMs: number;
  readonly traffic: TrafficSeries;
  readonly gauges: GaugeSeries;
}

export interface CallRecord {
  readonly from: string;
  readonly to: string;
  readonly kind: PeerKind;
  readonly traffic: TrafficSeries;
  lastSeenMs: number;
}

export interface HostRecord {
  readonly node: string;
  readonly gauges: GaugeSeries;
  lastSeenMs: number;
}

/** All that frames told, by what it is about. Every collection has a limit; what it leaves out is counted. */
export class TelemetryRecords {
  readonly services = new Map<string, ServiceRecord>();
  readonly calls = new Map<string, CallRecord>();
  readonly hosts = new Map<string, HostRecord>();
  /** `from\nto` → when a joined pair of spans last showed the call. */
  readonly joined = new Map<string, number>();
  readonly logs = new LogCounts();
  readonly connections = new ConnectionRecords();
  readonly spans = new SpanStore((from, to, atMs) => this.#noteJoined(from, to, atMs));
  dropped: DroppedCounts = { spans: 0, services: 0, calls: 0, logs: 0, errors: 0, payloads: 0 };

  take(node: string, frame: TelemetryFrame, arrivalWallMs: number): void {
    const offMs = arrivalWallMs - frame.at;
    const shiftS = Math.abs(offMs) <= clockToleranceMs ? 0 : Math.round(offMs / 1_000);
    const atMs = frame.at + shiftS * 1_000;
    const second = Math.floor(atMs / 1_000);
    this.#addDropped(frame.dropped);
    const host = this.#host(node, atMs);
    for (const seen of frame.services) this.#see(node, seen, atMs);
    for (const { service, name, value } of frame.gauges) {
      const gauges = service === null ? host?.gauges : this.#service(service, atMs)?.gauges;
      gauges?.add(name, second, value);
    }
    for (const bucket of frame.buckets) {
      // A clock that ran ahead must not open the future, where it would hide what comes next.
      const when = Math.min(bucket.second + shiftS, second);
      for (const request of bucket.requests) {
        const record = this.#service(request.service, atMs);
        record?.nodes.set(node, atMs);
        record?.traffic.add(when, request);
      }
      for (const call of bucket.calls) this.#call(call, atMs)?.traffic.add(when, call);
    }
    this.spans.take(node, frame.spans, atMs);
    for (const log of frame.logs) {
      this.#service(log.service, atMs)?.nodes.set(node, atMs);
      this.logs.take(log, second, shiftS * 1_000);
    }
    if (frame.connections !== undefined) {
      const beyond = this.connections.take(node, frame.connections, atMs);
      this.dropped = { ...this.dropped, calls: this.dropped.calls + beyond };
    }
    if (this.services.size > servicesKept / 2 || this.calls.size > callsKept / 2) this.forgetOld(arrivalWallMs);
  }

  /** What was not heard of for half an hour is gone. */
  forgetOld(nowMs: number): void {
    const before = nowMs - keptMs;
    for (const [key, record] of this.services) if (record.lastSeenMs < before) this.services.delete(key);
    for (const [key, record] of this.calls) if (record.lastSeenMs < before) this.calls.delete(key);
    for (const [key, record] of this.hosts) if (record.lastSeenMs < before) this.hosts.delete(key);
    for (const [key, atMs] of this.joined) if (atMs < before) this.joined.delete(key);
    this.connections.forgetOld(nowMs);
  }

  #see(node: string, seen: SeenService, atMs: number): void {
    const record = this.#service(seen.name, atMs);
    if (record === null) return;
    record.nodes.set(node, atMs);
    trim(record.nodes, hostsKept);
    if (seen.declared) record.declared.set(node, { dependsOn: seen.dependsOn, atMs });
    else record.declared.delete(node);
    trim(record.declared, hostsKept);
    if (seen.version !== null) noteVersion(record, node, seen.version, atMs);
  }

  #service(name: string, atMs: number): ServiceRecord | null {
    const known = this.services.get(name);
    if (known !== undefined) {
      known.lastSeenMs = Math.max(known.lastSeenMs, atMs);
      return known;
    }
    if (this.services.size >= servicesKept) return this.#drop("services");
    const made: ServiceRecord = {
      name,
      nodes: new Map(),
      declared: new Map(),
      version: null,
      versionSince: null,
      versions: new Map(),
      lastSeenMs: atMs,
      traffic: new TrafficSeries(),
      gauges: new GaugeSeries(gaugesOfService),
    };
    this.services.set(name, made);
    return made;
  }

  #call({ from, to, kind }: CallCount, atMs: number): CallRecord | null {
    const key = `${from}\n${to}`;
    const known = this.calls.get(key);
    if (known !== undefined) {
      known.lastSeenMs = Math.max(known.lastSeenMs, atMs);
      return known;
    }
    if (this.calls.size >= callsKept) return this.#drop("calls");
    const made: CallRecord = { from, to, kind, traffic: new TrafficSeries(), lastSeenMs: atMs };
    this.calls.set(key, made);
    return made;
  }

  #host(node: string, atMs: number): HostRecord | null {
    const known = this.hosts.get(node);
    if (known !== undefined) {
      known.lastSeenMs = atMs;
      return known;
    }
    if (this.hosts.size >= hostsKept) return null;
    const made: HostRecord = { node, gauges: new GaugeSeries(gaugesOfHost), lastSeenMs: atMs };
    this.hosts.set(node, made);
    return made;
  }

  #noteJoined(from: string, to: string, atMs: number): void {
    const key = `${from}\n${to}`;
    this.joined.delete(key);
    this.joined.set(key, atMs);
    trim(this.joined, joinedKept);
  }

  #addDropped(dropped: DroppedCounts): void {
    const { spans, services, calls, logs, errors, payloads } = this.dropped;
    this.dropped = {
      spans: spans + dropped.spans,
      services: services + dropped.services,
      calls: calls + dropped.calls,
      logs: logs + dropped.logs,
      errors: errors + dropped.errors,
      payloads: payloads + dropped.payloads,
    };
  }

  #drop(what: "services" | "calls"): null {
    this.dropped = { ...this.dropped, [what]: this.dropped[what] + 1 };
    return null;
  }
}

/** What a callee is, when it says nothing itself. */
export function kindOfPeer(kind: PeerKind): ServiceKind {
  return kind === "address" ? "external" : kind;
}

/** A release is a version that no other node runs already; one node going back to what the others run still is one, for then nobody runs the newer. */
function noteVersion(record: ServiceRecord, node: string, version: string, atMs: number): void {
  if (record.versions.get(node) === version) return;
  const isKnown = [...record.versions.values()].includes(version);
  record.versions.set(node, version);
  trim(record.versions, hostsKept);
  const isGone = ![...record.versions.values()].includes(record.version ?? "");
  if (isKnown && !isGone) return;
  if (record.version !== null) record.versionSince = atMs;
  record.version = version;
}
