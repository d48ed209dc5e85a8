import { type NodeLive, readNode, readService, type ServiceLive, suspicion } from "../core/index.ts";
import type { Clock } from "../ports/clock.ts";
import type { SampleStore } from "../ports/samples.ts";
import type { ClusterView } from "../protocol/index.ts";
import type { RecentSeries } from "./series.ts";

const sampleMs = 1_000;
const persistEvery = 10;

export interface SamplerParts {
  readonly clock: Clock;
  readonly series: RecentSeries;
  readonly samples: SampleStore;
  /** What was heard of every node. */
  listNodes(): Iterable<NodeLive>;
  listServices(): Iterable<ServiceLive>;
  listClusters(): readonly ClusterView[];
  canPersist(): boolean;
  log(message: string, detail: Readonly<Record<string, unknown>>): void;
}

/** Takes a sample of everything each second, and gives every tenth to the store. Answers with its end. */
export function startSampler(parts: SamplerParts): () => void {
  const { clock, series } = parts;
  let round = 0;
  let cancel = clock.setTimer(tick, sampleMs);
  let persisting = false;
  function tick(): void {
    cancel = clock.setTimer(tick, sampleMs);
    const at = Math.round(clock.wallMs());
    const subjects = new Set<string>();
    for (const node of parts.listNodes()) {
      subjects.add(`node:${node.id}`);
      if (node.connected) series.add(`node:${node.id}`, at, nodeValues(node, clock.monoMs()));
    }
    for (const service of parts.listServices()) {
      const subject = `service:${service.name}`;
      const { requests, latencyP95Ms } = service.measure;
      subjects.add(subject);
      series.add(subject, at, { requests, latencyP95Ms, ...readService(service) });
    }
    for (const cluster of parts.listClusters()) {
      subjects.add(`cluster:${cluster.id}`);
      series.add(`cluster:${cluster.id}`, at, clusterValues(cluster));
    }
    series.retain(subjects);
    round += 1;
    if (round % persistEvery === 0) void persist();
  }
  async function persist(): Promise<void> {
    if (persisting || !parts.canPersist()) return;
    persisting = true;
    try {
      await parts.samples.appendSamples(series.latest());
    } catch (error) {
      parts.log("Samples of the last seconds could not be stored; charts of long ranges will have a gap.", {
        error: String(error),
      });
    } finally {
      persisting = false;
    }
  }
  return () => cancel();
}

function nodeValues(node: NodeLive, nowMs: number): Record<string, number | null> {
  const { host, postgres, detector } = node;
  return {
    cpu: host?.cpu ?? null,
    load1: host?.load1 ?? null,
    memoryUsedBytes: host?.memoryUsedBytes ?? null,
    diskUsedBytes: host?.diskUsedBytes ?? null,
    networkRxBytesPerSecond: host?.networkRxBytesPerSecond ?? null,
    networkTxBytesPerSecond: host?.networkTxBytesPerSecond ?? null,
    suspicion: Math.round(suspicion(detector, nowMs).level * 100) / 100,
    connections: postgres?.connections ?? null,
    agentLoopLagMs: node.agentLoopLagMs,
    ...readNode(node),
  };
}

function clusterValues(cluster: ClusterView): Record<string, number | null> {
  const values: Record<string, number | null> = {
    writesPerSecond: cluster.workload?.writesPerSecond ?? null,
    latencyMeanMs: cluster.workload?.latencyMeanMs ?? null,
    latencyP95Ms: cluster.workload?.latencyP95Ms ?? null,
  };
  for (const member of cluster.members) {
    if (member.node === cluster.primary) continue;
    values[`lagBytes:${member.node}`] = member.lagBytes;
    values[`lagMs:${member.node}`] = member.lagMs;
    values[`responseRatio:${member.node}`] = member.responseRatio?.r ?? null;
  }
  return values;
}
