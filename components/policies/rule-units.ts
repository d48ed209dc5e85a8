import type { MetricId, RuleId } from "../../server/core/index.ts";
import type { RuleView } from "../../server/protocol/index.ts";

type Shape = Pick<RuleView, "kind" | "metric">;

/** How a rule's level is written: percent, hours, seconds, deviations or a plain number. */
export type LevelUnit = "percent" | "hours" | "seconds" | "deviations" | "number";

export function levelUnit({ kind, metric }: Shape): LevelUnit {
  return kind === "anomaly" ? "deviations" : metricUnit(metric);
}

export function metricUnit(metric: MetricId): LevelUnit {
  if (metric === "cpu" || metric.endsWith("Share")) return "percent";
  if (metric === "replayLagMs") return "seconds";
  return metric === "diskHoursLeft" ? "hours" : "number";
}

const scales: Readonly<Record<LevelUnit, number>> = {
  percent: 100,
  hours: 1,
  seconds: 0.001,
  deviations: 1,
  number: 1,
};

/** As a person types it. */
export function toField(value: number, unit: LevelUnit): string {
  return String(Math.round(value * scales[unit] * 1_000) / 1_000);
}

/** Null: not a number. */
export function fromField(text: string, unit: LevelUnit): number | null {
  const value = Number(text.replace(",", "."));
  return text.trim() === "" || !Number.isFinite(value) ? null : value / scales[unit];
}

export type { MetricId, RuleId };
