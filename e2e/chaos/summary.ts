import { formatTable, median } from "../../bench/failover/statistics.ts";
import type { RunRecord } from "./results.ts";

export interface ScenarioSummary {
  readonly runs: number;
  readonly ok: number;
  readonly lost: number;
  readonly double: number;
  readonly medianMs: number | null;
  readonly maxMs: number | null;
  /** The slowest return of a healed node. */
  readonly rejoinedMs: number | null;
  /** The median of the longest times without an acknowledged write. */
  readonly gapMs: number | null;
}

export interface Summary {
  readonly scenarios: Readonly<Record<string, ScenarioSummary>>;
  readonly runs: number;
  readonly ok: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly double: number;
}

export function summarise(records: readonly RunRecord[]): Summary {
  const names = [...new Set(records.map((record) => record.scenario))];
  return {
    scenarios: Object.fromEntries(
      names.map((name) => [name, summariseScenario(records.filter((record) => record.scenario === name))]),
    ),
    runs: records.length,
    ok: records.filter((record) => record.ok).length,
    acknowledged: sum(records, (record) => record.acknowledged),
    lost: sum(records, (record) => record.lost),
    double: sum(records, (record) => record.double),
  };
}

function summariseScenario(records: readonly RunRecord[]): ScenarioSummary {
  const times = known(records, (record) => record.ms);
  const returns = known(records, (record) => record.rejoinedMs);
  const round = (value: number | null) => (value === null ? null : Math.round(value));
  return {
    runs: records.length,
    ok: records.filter((record) => record.ok).length,
    lost: sum(records, (record) => record.lost),
    double: sum(records, (record) => record.double),
    medianMs: round(median(times)),
    maxMs: times.length === 0 ? null : Math.round(Math.max(...times)),
    rejoinedMs: returns.length === 0 ? null : Math.round(Math.max(...returns)),
    gapMs: round(median(records.map((record) => record.gapMs))),
  };
}

export function tellSummary(summary: Summary): readonly string[] {
  const head = ["scenario", "runs", "ok", "lost", "double", "median ms", "max ms", "gap ms", "back ms"];
  const rows = Object.entries(summary.scenarios).map(([name, each]) => [
    name,
    each.runs,
    each.ok,
    each.lost,
    each.double,
    each.medianMs,
    each.maxMs,
    each.gapMs,
    each.rejoinedMs,
  ]);
  return [
    ...formatTable([head, ...rows]),
    "",
    `${summary.runs} runs, ${summary.ok} as expected; ${summary.acknowledged} writes acknowledged, ${summary.lost} lost, ${summary.double} acknowledged twice`,
    "median, max: fault to first acknowledged write. gap: median of the longest times without one. back: slowest return of a healed node.",
  ];
}

function sum<T>(items: readonly T[], pick: (item: T) => number): number {
  return items.reduce((total, item) => total + pick(item), 0);
}

function known<T>(items: readonly T[], pick: (item: T) => number | null): readonly number[] {
  return items.flatMap((item) => {
    const value = pick(item);
    return value === null ? [] : [value];
  });
}
