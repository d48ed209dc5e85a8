import { createSubjectMonitor, learnProfile, type Readings, takeReadings } from "./monitor.ts";
import type { MetricId, Rule } from "./rules.ts";

/** What was measured of one subject over days: columns of equal length. */
export interface History {
  readonly subject: string;
  readonly t: readonly number[];
  readonly columns: Readonly<Partial<Record<MetricId, readonly (number | null)[]>>>;
}

/** A time during which the rule would have been raised. */
export interface Firing {
  readonly subject: string;
  readonly fromMs: number;
  /** Null: to the end of what was looked at. */
  readonly toMs: number | null;
}

/** When a rule with these numbers would have been raised, over what was really measured. */
export function replayRule(rule: Rule, histories: readonly History[]): Firing[] {
  return histories.flatMap((history) => replaySubject(rule, history)).sort((a, b) => a.fromMs - b.fromMs);
}

function replaySubject(rule: Rule, { subject, t, columns }: History): Firing[] {
  const monitor = createSubjectMonitor();
  if (rule.kind === "anomaly") learnProfile(monitor, rule.metric, pointsOf(t, columns[rule.metric] ?? []));
  const firings: Firing[] = [];
  let openFrom: number | null = null;
  t.forEach((atMs, index) => {
    const readings: Readings = Object.fromEntries(
      Object.entries(columns).map(([metric, values]) => [metric, values?.[index] ?? null]),
    );
    for (const { change } of takeReadings(monitor, [rule], readings, atMs)) {
      if (change === "raised") openFrom = atMs;
      else if (openFrom !== null) {
        firings.push({ subject, fromMs: openFrom, toMs: atMs });
        openFrom = null;
      }
    }
  });
  if (openFrom !== null) firings.push({ subject, fromMs: openFrom, toMs: null });
  return firings;
}

function pointsOf(t: readonly number[], values: readonly (number | null)[]) {
  return t.flatMap((at, index) => {
    const value = values[index] ?? null;
    return value === null ? [] : [{ at, value }];
  });
}
