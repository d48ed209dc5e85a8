import { listDocuments } from "../documents.ts";
import type { Draft } from "../draft.ts";
import type { Evidence, FaultClass, Verdict, VerdictKind } from "../incident/types.ts";
import type { ServiceLive } from "../service/types.ts";
import type { NodeLive } from "../topology/types.ts";
import type { SeasonalProfile } from "./baseline.ts";
import { createSubjectMonitor, type Readings, type RuleReading, type SubjectMonitor, takeReadings } from "./monitor.ts";
import { defaultRules, type MetricId, metricIds, type Rule } from "./rules.ts";

/** How often a subject is read: rules speak of minutes. */
const readEveryMs = 5_000;
/** A batch reads at most this share of the fleet, so that ten thousand nodes don't hold it up together. */
const shareAtOnce = 1 / 16;
const leastAtOnce = 64;
/** A share of errors says something from this many requests in the last seconds on. */
const leastRequests = 10;

/** The rules as they are: the defaults, and what a person made of them. */
export function effectiveRules(draft: Draft): readonly Rule[] {
  const changed = new Map(listDocuments(draft, "monitor-rule").map((document) => [document.id, document.numbers]));
  return changed.size === 0 ? defaultRules : defaultRules.map((rule) => ({ ...rule, ...changed.get(rule.id) }));
}

/** Reads what is due of nodes and services. What is raised is found by `raisedVerdicts`. */
export function evaluateMonitoring(draft: Draft): void {
  const { live, durable } = draft.state;
  const { monoMs } = draft.now;
  const rules = effectiveRules(draft);
  const ofNodes = rules.filter((rule) => rule.subject === "node");
  const ofServices = rules.filter((rule) => rule.subject === "service");
  let left = Math.max(leastAtOnce, Math.ceil(durable.nodes.size * shareAtOnce));
  for (const node of durable.nodes.values()) {
    const found = live.nodes.get(node.id);
    if (left <= 0 || found?.connected !== true) continue;
    if (readDue(draft, `node:${node.id}`, ofNodes, () => readNode(found), monoMs)) left -= 1;
  }
  for (const service of live.services.values()) {
    readDue(draft, `service:${service.name}`, ofServices, () => readService(service), monoMs);
  }
}

export function takeProfiles(
  draft: Draft,
  subject: string,
  profiles: Readonly<Partial<Record<MetricId, SeasonalProfile>>>,
): void {
  const { monitors } = draft.state.live;
  const monitor = monitors.get(subject) ?? createSubjectMonitor();
  monitors.set(subject, monitor);
  for (const metric of metricIds) {
    const profile = profiles[metric];
    if (profile !== undefined) monitor.profiles.set(metric, profile);
  }
}

function readDue(draft: Draft, subject: string, rules: readonly Rule[], read: () => Readings, monoMs: number): boolean {
  const { monitors } = draft.state.live;
  const monitor = monitors.get(subject) ?? createSubjectMonitor();
  monitors.set(subject, monitor);
  // Wall clock for the record and the hour of the day; the pace is the monotonic clock's.
  if (monitor.lastMonoMs !== null && monoMs - monitor.lastMonoMs < readEveryMs) return false;
  monitor.lastMonoMs = monoMs;
  takeReadings(monitor, rules, read(), draft.now.wallMs);
  return true;
}

/** What the last heartbeat said, as the rules take it; the sampler stores the same figures, so that a replay sees what was seen. */
export function readNode({ host, postgres }: NodeLive): Readings {
  const share = (used: number, total: number) => (total > 0 ? used / total : null);
  return {
    cpu: host?.cpu ?? null,
    memoryShare: host === null ? null : share(host.memoryUsedBytes, host.memoryTotalBytes),
    diskShare: host === null ? null : share(host.diskUsedBytes, host.diskTotalBytes),
    loadPerCore: host === null || host.cores === 0 ? null : host.load1 / host.cores,
    connections: postgres?.connections ?? null,
    replayLagMs: postgres?.role === "standby" ? postgres.replayLagMs : null,
  };
}

export function readService({ measure }: ServiceLive): Readings {
  return { errorShare: measure.requests >= leastRequests ? measure.errorShare : null };
}

/** The verdicts of the rules that are raised for a subject, in the order of the rules: the gravest first. One for each kind. */
export function raisedVerdicts(draft: Draft, kind: "node" | "service", id: string): Verdict[] {
  const monitor = draft.state.live.monitors.get(`${kind}:${id}`);
  if (monitor === undefined || monitor.raised === 0) return [];
  const verdicts = new Map<VerdictKind, Verdict>();
  for (const rule of effectiveRules(draft)) {
    const verdict = makeVerdict(rule, monitor, kind, id, draft.now.wallMs);
    if (verdict !== null && !verdicts.has(verdict.kind)) verdicts.set(verdict.kind, verdict);
  }
  return [...verdicts.values()];
}

/** What the rules complain of at a node, also of what does not last for long enough yet to be raised. */
export function strainedNow(draft: Draft, node: string): VerdictKind[] {
  const memories = draft.state.live.monitors.get(`node:${node}`)?.rules;
  return effectiveRules(draft).flatMap(({ id, verdict }) => {
    const memory = memories?.get(id);
    return memory?.raised === true || (memory?.pendingSinceMs ?? null) !== null ? [verdict] : [];
  });
}

const classes: Readonly<Partial<Record<VerdictKind, FaultClass>>> = {
  "disk-full": "hardware",
  "disk-filling": "load",
  "memory-short": "load",
  overload: "load",
  "replication-lagging": "load",
  "errors-rising": "software",
};

function makeVerdict(
  rule: Rule,
  monitor: SubjectMonitor,
  kind: "node" | "service",
  id: string,
  wallMs: number,
): Verdict | null {
  const memory = monitor.rules.get(rule.id);
  const reading = monitor.latest.get(rule.id);
  if (memory?.raised !== true || reading === undefined) return null;
  const since = memory.raisedSinceMs ?? wallMs;
  const evidence: Evidence = {
    code: `rule-${rule.id}`,
    observer: id,
    stance: "for",
    data: describeReading(rule, reading),
    at: since,
  };
  return {
    kind: rule.verdict,
    class: classes[rule.verdict] ?? "unknown",
    subject: { kind, id },
    cluster: null,
    confidence: rule.kind === "threshold" ? 0.95 : 0.7,
    evidence: [evidence],
    sinceWallMs: since,
  };
}

/** Units last, as sentences show them. */
function describeReading(rule: Rule, { value, usual }: RuleReading): Evidence["data"] {
  const limit = usual === null ? rule.raise : usual.level;
  const name = usual === null ? "limit" : "usual";
  const data = (unit: string, scale: number) => ({
    [`value${unit}`]: round(value * scale),
    [`${name}${unit}`]: round(limit * scale),
    forMs: rule.raiseForMs,
  });
  return data(...unitOf(rule.metric));
}

function unitOf(metric: MetricId): [string, number] {
  if (metric === "cpu" || metric.endsWith("Share")) return ["Percent", 100];
  if (metric === "replayLagMs") return ["Ms", 1];
  return metric === "diskHoursLeft" ? ["Hours", 1] : ["", 1];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
