import type { VerdictKind } from "../incident/types.ts";

/** What is measured of a subject, each in one unit: shares 0 to 1, hours, milliseconds, or a plain number. */
export const metricIds = [
  "cpu",
  "memoryShare",
  "diskShare",
  "diskHoursLeft",
  "loadPerCore",
  "connections",
  "replayLagMs",
  "errorShare",
] as const;
export type MetricId = (typeof metricIds)[number];

export const ruleIds = [
  "disk-full",
  "disk-filling",
  "memory",
  "cpu",
  "load",
  "lag",
  "error-rate",
  "cpu-unusual",
  "memory-unusual",
  "connections-unusual",
] as const;
export type RuleId = (typeof ruleIds)[number];

/** The numbers of a rule; what an operator may change. */
export interface RuleNumbers {
  readonly enabled: boolean;
  /**
   * Raised at or beyond this, cleared at or within `clear`; in between it stays as it is. A threshold's are in the metric's unit, an
   * anomaly's in deviations: how often the usual spread the value is away from what is usual.
   */
  readonly raise: number;
  readonly clear: number;
  /** How long it has to be so before the rule is raised, and before it is cleared. */
  readonly raiseForMs: number;
  readonly clearForMs: number;
  /** Only for an anomaly: a departure smaller than this, in the metric's unit, means nothing however rare it is. */
  readonly floor: number | null;
}

export interface Rule extends RuleNumbers {
  readonly id: RuleId;
  readonly kind: "threshold" | "anomaly";
  readonly metric: MetricId;
  readonly subject: "node" | "service";
  readonly direction: "above" | "below";
  readonly verdict: VerdictKind;
}

const minuteMs = 60_000;

const threshold = {
  kind: "threshold",
  subject: "node",
  direction: "above",
  enabled: true,
  floor: null,
} as const;
/**
 * Eight times the usual spread (as a standard deviation) and a departure one would notice: over a day of readings a minute apart, heavy tails
 * included, that is rarer than once a month for a node, and a doubling of what is usual still reaches it.
 */
const anomaly = { ...threshold, kind: "anomaly", raise: 8, clear: 4, verdict: "unusual-level" } as const;

/** Right without editing; each number says why. */
export const defaultRules: readonly Rule[] = [
  // At 95 % file systems begin to refuse work to all but root; there is nothing to wait for. A minute of 93 % is room that was really made.
  {
    ...threshold,
    id: "disk-full",
    metric: "diskShare",
    raise: 0.95,
    clear: 0.93,
    raiseForMs: 0,
    clearForMs: minuteMs,
    verdict: "disk-full",
  },
  // Six hours are enough for a person to act within a shift; ten minutes of the same answer outlast one large file being written.
  {
    ...threshold,
    id: "disk-filling",
    metric: "diskHoursLeft",
    direction: "below",
    raise: 6,
    clear: 12,
    raiseForMs: 10 * minuteMs,
    clearForMs: 10 * minuteMs,
    verdict: "disk-filling",
  },
  // What counts as used leaves out caches that can be given back: beyond 95 % the kernel begins to kill.
  {
    ...threshold,
    id: "memory",
    metric: "memoryShare",
    raise: 0.95,
    clear: 0.9,
    raiseForMs: 2 * minuteMs,
    clearForMs: 2 * minuteMs,
    verdict: "memory-short",
  },
  // A busy processor does its work. Five minutes at 95 % without a gap is no burst: requests wait.
  {
    ...threshold,
    id: "cpu",
    metric: "cpu",
    raise: 0.95,
    clear: 0.85,
    raiseForMs: 5 * minuteMs,
    clearForMs: 2 * minuteMs,
    verdict: "overload",
  },
  // Linux counts tasks that wait for a disk too: one a core is full use, four a core that each waits for three others.
  {
    ...threshold,
    id: "load",
    metric: "loadPerCore",
    raise: 4,
    clear: 2,
    raiseForMs: 5 * minuteMs,
    clearForMs: 2 * minuteMs,
    verdict: "overload",
  },
  // Ten times what replay needs after a checkpoint; readers of the standby see data half a minute old.
  {
    ...threshold,
    id: "lag",
    metric: "replayLagMs",
    raise: 30_000,
    clear: 5_000,
    raiseForMs: minuteMs,
    clearForMs: 30_000,
    verdict: "replication-lagging",
  },
  // One request in twenty for a minute; one in a hundred is what retries hide.
  {
    ...threshold,
    id: "error-rate",
    metric: "errorShare",
    subject: "service",
    raise: 0.05,
    clear: 0.01,
    raiseForMs: minuteMs,
    clearForMs: minuteMs,
    verdict: "errors-rising",
  },
  // A third of the machine more than usual at this hour, for as long as a backup or a deployment does not take.
  { ...anomaly, id: "cpu-unusual", metric: "cpu", floor: 0.35, raiseForMs: 15 * minuteMs, clearForMs: 5 * minuteMs },
  // A leak shows long before memory is short.
  {
    ...anomaly,
    id: "memory-unusual",
    metric: "memoryShare",
    floor: 0.25,
    raiseForMs: 15 * minuteMs,
    clearForMs: 5 * minuteMs,
  },
  // How many connections are too many only the server's own settings know; thirty more than ever at this hour is news anywhere.
  {
    ...anomaly,
    id: "connections-unusual",
    metric: "connections",
    floor: 30,
    raiseForMs: 5 * minuteMs,
    clearForMs: 2 * minuteMs,
  },
];

export function findRule(id: string): Rule | null {
  return defaultRules.find((rule) => rule.id === id) ?? null;
}

/** Why these numbers can't be used, as a message key below `refusal.`; null when they can. */
export function checkNumbers(rule: Rule, numbers: RuleNumbers): string | null {
  const { raise, clear, raiseForMs, clearForMs, floor } = numbers;
  if (![raise, clear, raiseForMs, clearForMs, floor ?? 0].every((value) => Number.isFinite(value) && value >= 0)) {
    return "rule-number";
  }
  if (raiseForMs > 86_400_000 || clearForMs > 86_400_000) return "rule-time";
  if (rule.direction === "above" ? clear > raise : clear < raise) return "rule-order";
  const isShare = rule.metric === "cpu" || rule.metric.endsWith("Share");
  if (rule.kind === "threshold" && isShare && (raise > 1 || clear > 1)) return "rule-share";
  return (floor === null) === (rule.kind === "threshold") ? null : "rule-number";
}
