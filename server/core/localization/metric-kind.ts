/** What a metric measures, judged from its name alone by words that monitoring systems share. */
export type MetricKind =
  | "latency"
  | "requests"
  | "availability"
  | "errors"
  | "cpu"
  | "memory"
  | "disk"
  | "network"
  | "other";

export interface MetricMeaning {
  readonly kind: MetricKind;
  /** `host` metrics are shared by everything on a machine and say little about one service. */
  readonly scope: "service" | "host";
  /** Whether the node measured it as a server (its own work) or as a client (its callees' work). */
  readonly side: "server" | "client";
  /** Lower is a better summary of total work: mean, then median, then ever higher percentiles. */
  readonly preference: number;
}

// First match wins, so the specific words stand before the general ones ("error rate" before "request rate").
const KIND_PATTERNS: readonly (readonly [MetricKind, RegExp])[] = [
  ["errors", /error|fail|fault|exception|5xx|reject/],
  ["availability", /availab|success|uptime|healthy/],
  ["latency", /latenc|duration|response.?time|elapsed|rtt|delay/],
  ["cpu", /cpu|processor|load.?average/],
  ["memory", /memory|\bmem\b|mem(usage|used)|rss|heap|working.?set/],
  ["disk", /disk|filesystem|\bfs\b|volume|iops|inode/],
  ["network", /network|\bnet\b|receive|transmit|bytes|packet|retrans|\btcp\b/],
  ["requests", /request|workload|throughput|\bops\b|\bqps\b|\brps\b|\bcalls?\b|invocation|hits/],
];

const PERCENTILE = /p(?:ercentile)?_?(\d{2,3})/;

/** Classifies a metric by name. Pure and total: an unknown name is `other`. */
export function classifyMetric(name: string): MetricMeaning {
  const text = name.toLowerCase();
  const kind = KIND_PATTERNS.find(([, pattern]) => pattern.test(text))?.[0] ?? "other";
  const percentile = PERCENTILE.exec(text);
  return {
    kind,
    scope: /^(node|host|machine|instance|vm)(?![a-z]*latenc)/.test(text) ? "host" : "service",
    side: /client|outbound|upstream|egress/.test(text) ? "client" : "server",
    preference: /average|avg|mean/.test(text) ? 0 : percentile ? Number(percentile[1]) : 1,
  };
}
