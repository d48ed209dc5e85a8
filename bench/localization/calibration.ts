import { average } from "./ranking-metrics.ts";

/** One answered case: how sure the first suspect was, and how right (a tie is partly right). */
export interface Confidence {
  readonly confidence: number;
  readonly right: number;
}

export interface Calibration {
  /** Share of the answers given with confidence ≥ 0.8 that were right, and how many there were. */
  readonly rightAbove80: number;
  readonly countAbove80: number;
  /** Mean squared difference of confidence and outcome (Brier, 1950). */
  readonly brier: number;
}

export function calibrate(answers: readonly Confidence[]): Calibration {
  const sure = answers.filter(({ confidence }) => confidence >= 0.8);
  return {
    rightAbove80: average(sure.map(({ right }) => right)),
    countAbove80: sure.length,
    brier: average(answers.map(({ confidence, right }) => (confidence - right) ** 2)),
  };
}
