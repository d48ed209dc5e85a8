import type { ServiceMeasure } from "../../core/index.ts";
import { reachesFrom } from "../../core/localization/explain/paths.ts";
import type { TelemetryStore } from "../../ports/telemetry.ts";

/** A measure covers these seconds; the last one is left out, because spans come in late. */
const coversMs = 5_000;
const lateMs = 1_000;
/** Without a sign of life for this long it is no service any more. */
const goneMs = 60_000;
const metrics = ["requests", "errorPercent", "latencyP95Ms"] as const;

/** What every service did in the last seconds. `clustersOf`: the clusters that a node's applications work with. */
export function measureServices(
  telemetry: TelemetryStore,
  nowMs: number,
  clustersOf: (node: string) => readonly string[],
): ServiceMeasure[] {
  const services = telemetry.services();
  const edges = services.flatMap(({ name, dependsOn }) => dependsOn.map((callee) => [name, callee] as const));
  const byName = new Map(services.map((service) => [service.name, service]));
  return services.flatMap((service): ServiceMeasure[] => {
    // A connection tells that something is there, not how it does.
    if (!service.observed || service.lastSeenAt === null || nowMs - service.lastSeenAt > goneMs) return [];
    const reaches = [...reachesFrom(edges, service.name)];
    const standsOnDatabase = reaches.some((name) => byName.get(name)?.kind === "database");
    const nodes = new Set([service.name, ...reaches].flatMap((name) => byName.get(name)?.nodes ?? []));
    return [
      {
        name: service.name,
        isEntry: service.calledBy.length === 0 && service.kind === "service",
        ...readFigures(telemetry, service.name, nowMs),
        memoryBytes: service.gauges.memoryBytes ?? null,
        nodes: service.nodes,
        reaches,
        clusters: standsOnDatabase ? [...new Set([...nodes].flatMap(clustersOf))] : [],
      },
    ];
  });
}

function readFigures(
  telemetry: TelemetryStore,
  name: string,
  nowMs: number,
): Pick<ServiceMeasure, "requests" | "errorShare" | "latencyP95Ms"> {
  const view = telemetry.series(name, metrics, nowMs - lateMs - coversMs, nowMs - lateMs);
  const requests = view?.series.requests ?? [];
  const errors = view?.series.errorPercent ?? [];
  const total = requests.reduce<number>((sum, value) => sum + (value ?? 0), 0);
  const failed = requests.reduce<number>((sum, value, i) => sum + ((value ?? 0) * (errors[i] ?? 0)) / 100, 0);
  const latencies = (view?.series.latencyP95Ms ?? []).filter((value) => value !== null).sort((a, b) => a - b);
  return {
    requests: total,
    errorShare: total === 0 ? null : failed / total,
    // The middle second: one slow request makes one bad second, not a bad service.
    latencyP95Ms: latencies[Math.floor(latencies.length / 2)] ?? null,
  };
}
