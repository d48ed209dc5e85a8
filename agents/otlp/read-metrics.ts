import { readSource } from "./read-spans.ts";
import { asList, asNumber, asObject, asText, type Values } from "./walk.ts";

export interface ReadMetrics {
  readonly gauges: readonly { readonly service: string; readonly name: string; readonly value: number }[];
  /** Data points. */
  readonly accepted: number;
  readonly rejected: number;
  readonly reason: string;
}

/** Names of OpenTelemetry's conventions for what has a name here already, with the factor to its unit. */
const known: Readonly<Record<string, readonly [string, number]>> = {
  "process.cpu.utilization": ["cpuPercent", 100],
  "process.memory.usage": ["memoryBytes", 1],
  "process.thread.count": ["threads", 1],
  "process.open_file_descriptor.count": ["openFiles", 1],
  "nodejs.eventloop.delay.p99": ["eventLoopLagMs", 1_000],
};

const usableName = /^[A-Za-z][A-Za-z0-9_.:/-]{0,79}$/;

/**
 * Gauges, and sums that go up and down. Counters and histograms are left out without complaint: requests and durations are counted from
 * spans. Points of several attributes become one figure: the sum, or for shares (unit `1`) the mean.
 */
export function readMetrics(request: Values, maxPoints: number): ReadMetrics {
  const gauges: { service: string; name: string; value: number }[] = [];
  let accepted = 0;
  let rejected = 0;
  for (const group of asList(request.resourceMetrics).map(asObject)) {
    const { service } = readSource(group);
    for (const scope of asList(group.scopeMetrics).map(asObject)) {
      for (const metric of asList(scope.metrics).map(asObject)) {
        const points = pointsOf(metric);
        if (points.length === 0) continue;
        const told = asText(metric.name);
        const [name, factor] = (Object.hasOwn(known, told) ? known[told] : undefined) ?? [told, 1];
        if (accepted + points.length > maxPoints || !usableName.test(name)) {
          rejected += points.length;
          continue;
        }
        accepted += points.length;
        const sum = points.reduce((total, value) => total + value, 0);
        gauges.push({ service, name, value: factor * (metric.unit === "1" ? sum / points.length : sum) });
      }
    }
  }
  const reason = rejected === 0 ? "" : "too many data points, or a metric's name is not a plain one";
  return { gauges, accepted, rejected, reason };
}

function pointsOf(metric: Values): number[] {
  const sum = asObject(metric.sum);
  const source = metric.gauge === undefined && sum.isMonotonic !== true ? sum : asObject(metric.gauge);
  return asList(source.dataPoints)
    .map(asObject)
    .map(({ asDouble, asInt }) => asNumber(asDouble ?? asInt));
}
