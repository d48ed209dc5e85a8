import type { SeriesView } from "../../protocol/index.ts";

/** A mean of one step of one series. `at` is the step's beginning, wall-clock milliseconds. */
export interface StepMean {
  readonly name: string;
  readonly at: number;
  readonly mean: number;
}

const maxSteps = 5_000;

/** The step that is used: the wanted one, widened to a whole multiple when it would give more than 5,000 steps. */
export function chooseStepMs(fromMs: number, toMs: number, stepMs: number): number {
  const wanted = Math.max(1, Math.floor(stepMs));
  const steps = Math.ceil(Math.max(0, toMs - fromMs) / wanted);
  return wanted * Math.max(1, Math.ceil(steps / maxSteps));
}

/** Columns of equal length from single means, oldest first. */
export function alignSeries(names: readonly string[], means: readonly StepMean[]): SeriesView {
  const t = [...new Set(means.map((mean) => mean.at))].sort((a, b) => a - b);
  const index = new Map(t.map((at, position) => [at, position]));
  const columns = new Map(names.map((name) => [name, new Array<number | null>(t.length).fill(null)]));
  for (const mean of means) {
    const column = columns.get(mean.name);
    const position = index.get(mean.at);
    if (column !== undefined && position !== undefined) column[position] = mean.mean;
  }
  return { t, series: Object.fromEntries(columns) };
}
