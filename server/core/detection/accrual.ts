/**
 * Accrual failure detector for silence.
 *
 * `suspicion` answers "how improbable is this silence if the node is alive?" as a level, −log10 of the probability of a
 * mistake (Hayashibara, Défago, Yared & Katayama 2004), from the node's own observed silences and the present context of
 * trouble instead of a fitted normal distribution. The threshold follows from a budget of false alarms that an operator
 * states, or from a wanted mean silence; it calibrates itself per node.
 *
 * Times are milliseconds. `nowMs` and `arrivalMs` come from the receiver's monotonic clock; the wall clock is never used, and
 * neither are sequence-based arrival estimates, which collapse when a sender pauses. State is plain data (survives JSON).
 * `recordArrival` MUTATES the state it is given and returns it: it is the hot path.
 */
import { deadlineAfter, type Excuses, excusedMs } from "./excuses.ts";
import { tailAt } from "./silence-histogram.ts";
import { createModel, learnSilence, predict, predictTail, type SilenceModel } from "./silence-model.ts";
import { type Aim, createSteering, type Steering, steer } from "./threshold-policy.ts";

export type DetectorConfig = {
  /** Scheduled distance between two beats, milliseconds, > 0. */
  intervalMs: number;
  /** False alarms the operator accepts per node and day, > 0. */
  mistakesPerNodeDay: number;
  /**
   * States the mean silence before suspicion instead, milliseconds; the budget is then ignored and mistakes are as few as
   * that allows. (Mean detection time is this less half an interval.)
   */
  meanSilenceMs?: number;
  /** Never suspect before this much silence, milliseconds. Default: 1.2 intervals. */
  minSilenceMs?: number;
  /** Always suspect after this much silence, milliseconds. Default: 30 intervals. */
  maxSilenceMs?: number;
};

/**
 * A heartbeat as it arrived. `seq` grows within a boot id; a process that starts counting anew needs a new one. `senderMonoMs` is the sender's monotonic clock when it sent, `arrivalMs` the receiver's.
 */
export type Beat = { seq: number; bootId: string; senderMonoMs: number; arrivalMs: number };

export type DetectorState = {
  intervalMs: number;
  aim: Aim;
  minSilenceMs: number;
  maxSilenceMs: number;
  /** Boot id of the running incarnation, null before the first beat. */
  bootId: string | null;
  /** Boot ids seen before the current one, newest last: a late beat of a dead incarnation is no sign of life. */
  formerBootIds: string[];
  highestSeq: number;
  /** Arrival of the newest beat, receiver's clock. */
  lastArrivalMs: number;
  /** Sender's monotonic time of the newest beat; evidence for a report, never used for liveness. */
  lastSenderMonoMs: number;
  model: SilenceModel;
  steering: Steering;
  /** Silence at which the node becomes suspect, milliseconds; kept so that the hot path need not search. */
  thresholdMs: number;
  beatsSinceChoice: number;
};

export type Suspicion = {
  /** −log10 of the probability that a live node is silent this long; near 0 while the silence is normal. */
  level: number;
  /** Silence so far that counts (excused time left out), milliseconds. */
  silenceMs: number;
  /** Silence at which the node becomes suspect, milliseconds. */
  thresholdMs: number;
  /** When it becomes suspect if nothing arrives, receiver's clock; Infinity before the first beat. */
  suspectAtMs: number;
  /** `nowMs` has reached `suspectAtMs`. */
  suspected: boolean;
};

export const MS_PER_DAY = 86_400_000;
const MAX_FORMER_BOOT_IDS = 4;
/** In a quiet context the threshold is chosen anew every so many beats. */
const CHOOSE_EVERY_BEATS = 16;

/**
 * State of a detector that has heard nothing yet.
 * @throws RangeError when the interval, the budget or the mean silence is not a positive number (a bug of the caller).
 */
export function createDetector(config: DetectorConfig): DetectorState {
  const { intervalMs } = config;
  if (!(intervalMs > 0) || !Number.isFinite(intervalMs)) throw new RangeError("intervalMs must be a positive number");
  const minSilenceMs = config.minSilenceMs ?? 1.2 * intervalMs;
  const state: DetectorState = {
    intervalMs,
    aim: aimOf(config),
    minSilenceMs,
    maxSilenceMs: Math.max(minSilenceMs, config.maxSilenceMs ?? 30 * intervalMs),
    bootId: null,
    formerBootIds: [],
    highestSeq: -1,
    lastArrivalMs: 0,
    lastSenderMonoMs: 0,
    model: createModel(),
    steering: createSteering(),
    thresholdMs: 0,
    beatsSinceChoice: 0,
  };
  chooseThreshold(state);
  return state;
}

function aimOf({ intervalMs, mistakesPerNodeDay, meanSilenceMs }: DetectorConfig): Aim {
  if (meanSilenceMs !== undefined) {
    if (!(meanSilenceMs > 0) || !Number.isFinite(meanSilenceMs)) throw new RangeError("meanSilenceMs must be positive");
    return { kind: "mean-silence", intervals: meanSilenceMs / intervalMs };
  }
  if (!(mistakesPerNodeDay > 0)) throw new RangeError("mistakesPerNodeDay must be positive");
  return { kind: "mistakes-per-beat", probability: Math.min(0.5, (mistakesPerNodeDay * intervalMs) / MS_PER_DAY) };
}

/**
 * Takes one beat. Duplicates and beats older than the newest change nothing; a beat of a new boot id starts a new
 * incarnation (the gap before it is no silence to learn from; what was learned of the node's rhythm stays).
 * `excuses` are spans of known other cause (`StallLog`, `GroupLog`): time in them is not learned as the node's silence.
 * Mutates and returns `state`.
 */
export function recordArrival(state: DetectorState, beat: Beat, excuses?: Excuses): DetectorState {
  if (beat.bootId !== state.bootId) {
    if (!state.formerBootIds.includes(beat.bootId)) startIncarnation(state, beat);
    return state;
  }
  if (!(beat.seq > state.highestSeq)) return state;
  const arrivalMs = arrivalOf(state, beat);
  const excused = excuses === undefined ? 0 : excusedMs(excuses, state.lastArrivalMs, arrivalMs);
  const changed = learnSilence(state.model, (arrivalMs - state.lastArrivalMs - excused) / state.intervalMs);
  state.highestSeq = beat.seq;
  state.lastArrivalMs = arrivalMs;
  state.lastSenderMonoMs = beat.senderMonoMs;
  state.beatsSinceChoice += 1;
  if (changed || state.beatsSinceChoice >= CHOOSE_EVERY_BEATS) chooseThreshold(state);
  return state;
}

/** Never before the last arrival, whatever the stamp says; a stamp that is no number counts as no time. */
function arrivalOf(state: DetectorState, beat: Beat): number {
  return Number.isFinite(beat.arrivalMs) ? Math.max(beat.arrivalMs, state.lastArrivalMs) : state.lastArrivalMs;
}

function startIncarnation(state: DetectorState, beat: Beat): void {
  if (state.bootId !== null) {
    state.formerBootIds.push(state.bootId);
    if (state.formerBootIds.length > MAX_FORMER_BOOT_IDS) state.formerBootIds.shift();
  }
  state.bootId = beat.bootId;
  state.highestSeq = beat.seq;
  state.lastArrivalMs = arrivalOf(state, beat);
  state.lastSenderMonoMs = beat.senderMonoMs;
}

function chooseThreshold(state: DetectorState): void {
  const { intervalMs, steering, aim, minSilenceMs, maxSilenceMs } = state;
  const bounds = { minRatio: minSilenceMs / intervalMs, maxRatio: maxSilenceMs / intervalMs };
  steer(steering, aim, predict(state.model), bounds, state.beatsSinceChoice);
  state.thresholdMs = steering.thresholdRatio * intervalMs;
  state.beatsSinceChoice = 0;
}

/** How suspect the node is at `nowMs`. Nothing in it falls while nothing arrives and no excuse is running. */
export function suspicion(state: DetectorState, nowMs: number, excuses?: Excuses): Suspicion {
  const { thresholdMs, lastArrivalMs, bootId } = state;
  if (bootId === null) {
    return { level: 0, silenceMs: 0, thresholdMs, suspectAtMs: Number.POSITIVE_INFINITY, suspected: false };
  }
  const elapsedMs = Math.max(0, nowMs - lastArrivalMs);
  const excused = excuses === undefined ? 0 : excusedMs(excuses, lastArrivalMs, lastArrivalMs + elapsedMs);
  const silenceMs = elapsedMs - excused;
  const level = Math.max(0, -Math.log10(tailAt(predictTail(state.model), silenceMs / state.intervalMs)));
  const suspectAtMs = nextDeadlineMs(state, excuses);
  return { level, silenceMs, thresholdMs, suspectAtMs, suspected: nowMs >= suspectAtMs };
}

/** Is the node suspect at `nowMs`? The verdict of `suspicion` without the price of its level. */
export function isSuspected(state: DetectorState, nowMs: number, excuses?: Excuses): boolean {
  return nowMs >= nextDeadlineMs(state, excuses);
}

/** When to look again: the moment the node becomes suspect if nothing arrives. Infinity before the first beat. */
export function nextDeadlineMs(state: DetectorState, excuses?: Excuses): number {
  if (state.bootId === null) return Number.POSITIVE_INFINITY;
  return deadlineAfter(state.lastArrivalMs, state.thresholdMs, excuses);
}

/** Overdue, not yet suspect: silent for longer than a beat should take. What `recordGroup` counts. */
export function isOverdue(state: DetectorState, nowMs: number, excuses?: Excuses): boolean {
  return (
    state.bootId !== null && nowMs >= deadlineAfter(state.lastArrivalMs, OVERDUE_INTERVALS * state.intervalMs, excuses)
  );
}

export const OVERDUE_INTERVALS = 1.25;
