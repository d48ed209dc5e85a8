import {
  buildProfile,
  deviationsAbove,
  learnUsual,
  type Point,
  type RunningUsual,
  type SeasonalProfile,
  type Usual,
  usualAt,
  usualNow,
} from "./baseline.ts";
import { addDiskPoint, type DiskTrend, hoursLeft } from "./disk-trend.ts";
import { createHysteresis, type Hysteresis, stepHysteresis } from "./hysteresis.ts";
import type { MetricId, Rule, RuleId } from "./rules.ts";

/** What was measured of one subject at one moment; a metric that is missing was not measured. */
export type Readings = Readonly<Partial<Record<MetricId, number | null>>>;

/** What the rules remember of one subject. Live: after a restart it is learned again, seasonal profiles from the store. */
export interface SubjectMonitor {
  lastAtMs: number | null;
  /** The same by the monotonic clock: the pace of reading. */
  lastMonoMs: number | null;
  readonly rules: Map<RuleId, Hysteresis>;
  /** How many of them are raised: mostly none, and then there is nothing to look at. */
  raised: number;
  readonly running: Map<MetricId, RunningUsual>;
  readonly profiles: Map<MetricId, SeasonalProfile>;
  readonly disk: DiskTrend;
  /** Renewed with each point of the trend. */
  diskHoursLeft: number | null;
  /** The newest value of each rule with what it was held against. */
  readonly latest: Map<RuleId, RuleReading>;
}

export interface RuleReading {
  readonly value: number;
  /** Only for an anomaly: what is usual now, and how many deviations the value is above it. */
  readonly usual: Usual | null;
  readonly deviations: number | null;
}

export interface Transition {
  readonly rule: Rule;
  readonly change: "raised" | "cleared";
  readonly atMs: number;
}

export function createSubjectMonitor(): SubjectMonitor {
  return {
    lastAtMs: null,
    lastMonoMs: null,
    rules: new Map(),
    raised: 0,
    running: new Map(),
    profiles: new Map(),
    disk: [],
    diskHoursLeft: null,
    latest: new Map(),
  };
}

/** Takes history into the seasonal profile of a metric. */
export function learnProfile(monitor: SubjectMonitor, metric: MetricId, points: readonly Point[]): void {
  const profile = buildProfile(points);
  if (profile.some((usual) => usual !== null)) monitor.profiles.set(metric, profile);
}

/** Judges one subject by all rules. The same code runs live and over stored samples. */
export function takeReadings(
  monitor: SubjectMonitor,
  rules: readonly Rule[],
  given: Readings,
  atMs: number,
): Transition[] {
  const readings = addDerived(monitor, given, atMs);
  const transitions: Transition[] = [];
  for (const rule of rules) {
    const value = readings[rule.metric] ?? null;
    const reading = value === null ? null : readRule(monitor, rule, value, atMs);
    if (reading === null) monitor.latest.delete(rule.id);
    else monitor.latest.set(rule.id, reading);
    const judged = rule.kind === "threshold" ? value : (reading?.deviations ?? null);
    const memory = monitor.rules.get(rule.id) ?? createHysteresis();
    monitor.rules.set(rule.id, memory);
    if (!rule.enabled) {
      if (memory.raised) transitions.push({ rule, change: "cleared", atMs });
      monitor.rules.set(rule.id, createHysteresis());
      continue;
    }
    const change = stepHysteresis(memory, rule, judged, atMs, monitor.lastAtMs);
    if (change !== null) transitions.push({ rule, change, atMs });
  }
  learn(monitor, rules, readings, atMs);
  monitor.raised = [...monitor.rules.values()].filter((memory) => memory.raised).length;
  monitor.lastAtMs = atMs;
  return transitions;
}

function addDerived(monitor: SubjectMonitor, readings: Readings, atMs: number): Readings {
  const share = readings.diskShare ?? null;
  if (share === null) return readings;
  if (addDiskPoint(monitor.disk, atMs, share)) monitor.diskHoursLeft = hoursLeft(monitor.disk);
  return { ...readings, diskHoursLeft: monitor.diskHoursLeft };
}

function readRule(monitor: SubjectMonitor, rule: Rule, value: number, atMs: number): RuleReading {
  if (rule.kind === "threshold") return { value, usual: null, deviations: null };
  const usual =
    usualAt(monitor.profiles.get(rule.metric) ?? null, atMs) ??
    usualNow(monitor.running.get(rule.metric) ?? null, atMs);
  return { value, usual, deviations: usual === null ? null : deviationsAbove(usual, value, rule.floor ?? 0) };
}

/** What is usual is not learned from what a rule calls unusual. */
function learn(monitor: SubjectMonitor, rules: readonly Rule[], readings: Readings, atMs: number): void {
  for (const rule of rules) {
    const value = readings[rule.metric] ?? null;
    if (rule.kind !== "anomaly" || value === null || monitor.rules.get(rule.id)?.raised === true) continue;
    monitor.running.set(rule.metric, learnUsual(monitor.running.get(rule.metric) ?? null, value, atMs));
  }
}
