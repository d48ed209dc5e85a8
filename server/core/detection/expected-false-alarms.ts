/**
 * What a threshold costs: the curve "silence before suspicion → expected false alarms per node-day, mean detection time".
 * Read straight from what the detector has learned of the node, so that an operator can choose a budget with open eyes.
 */
import { type DetectorState, MS_PER_DAY } from "./accrual.ts";
import { tailAt } from "./silence-histogram.ts";
import { predictTail } from "./silence-model.ts";

export type FalseAlarmPoint = {
  /** Silence before suspicion, milliseconds. */
  thresholdMs: number;
  /** Mean time from a crash to suspicion, milliseconds, over crash instants spread evenly (Chen, Toueg & Aguilera 2002). */
  meanDetectionMs: number;
  /** Expected false alarms per node and day at this threshold. */
  falseAlarmsPerNodeDay: number;
};

/** Expected false alarms per node-day when silence of `thresholdMs` makes a node suspect. */
export function expectedFalseAlarms(state: DetectorState, thresholdMs: number): number {
  const perBeat = tailAt(predictTail(state.model), thresholdMs / state.intervalMs);
  return (perBeat * MS_PER_DAY) / state.intervalMs;
}

/** A crash falls on average half an interval after the last beat, so detection takes the threshold less that. */
export function meanDetectionMs(state: DetectorState, thresholdMs: number): number {
  return Math.max(0, thresholdMs - state.intervalMs / 2);
}

/** The curve at `points` thresholds, evenly spaced in ratio between the configured minimum and maximum silence. */
export function falseAlarmCurve(state: DetectorState, points = 32): FalseAlarmPoint[] {
  const { minSilenceMs, maxSilenceMs } = state;
  const count = Math.max(2, Math.floor(points));
  const step = (maxSilenceMs / minSilenceMs) ** (1 / (count - 1));
  return Array.from({ length: count }, (_, i) => {
    const thresholdMs = minSilenceMs * step ** i;
    return {
      thresholdMs,
      meanDetectionMs: meanDetectionMs(state, thresholdMs),
      falseAlarmsPerNodeDay: expectedFalseAlarms(state, thresholdMs),
    };
  });
}
