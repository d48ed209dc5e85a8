/**
 * Accrual failure detector for silence.
 *
 * `suspicion` answers "how improbable is this silence if the node is alive?" as a level, −log10 of the probability of a
 * mistake (Hayashibara, Défago, Yared & Katayama 2004, "The φ accrual failure detector"), but from the node's own
 * observed silences with their empirical tail instead of a fitted normal distribution. The threshold follows from a
 * budget of false alarms that an operator states, so it calibrates itself per node.
 *
 * Times are milliseconds. `nowMs`/`arrivalMs` come from the receiver's monotonic clock; the wall clock is never used.
 * State is plain data (survives JSON). `recordArrival` MUTATES the state it is given and returns it: it is the hot path.
 */

import { excusedMs, graceEndsMs, type StallLog } from "./self-suspicion.ts";
import {
  addSilence,
  createHistogram,
  type SilenceHistogram,
  silenceForTail,
  tailProbability,
} from "./silence-histogram.ts";

export type DetectorConfig = {
  /** Scheduled distance between two beats, milliseconds, > 0. */
  intervalMs: number;
  /** False alarms the operator accepts per node and day, > 0. */
  mistakesPerNodeDay: number;
  /** Never suspect before this much silence, milliseconds. Default: 1.2 intervals. */
  minSilenceMs?: number;
  /** Always suspect after this much silence, milliseconds. Default: 30 intervals. */
  maxSilenceMs?: number;
};

/** A heartbeat as it arrived. `senderMonoMs` is the sender's monotonic clock when it sent, `arrivalMs` the receiver's. */
export type Beat = { seq: number; bootId: string; senderMonoMs: number; arrivalMs: number };

export type DetectorState = {
  intervalMs: number;
  /** Accepted probability of a mistake per beat. */
  mistakesPerBeat: number;
  minSilenceMs: number;
  maxSilenceMs: number;
  /** Boot id of the running incarnation, null before the first beat. */
  bootId: string | null;
  /** Boot ids seen before the current one, newest last: a late beat of a dead incarnation is no sign of life. */
  formerBootIds: string[];
  highestSeq: number;
  /** Arrival of the newest beat, receiver's clock. */
  lastArrivalMs: number;
  lastSenderMonoMs: number;
  silences: SilenceHistogram;
  /** Silence at which the node becomes suspect, milliseconds; kept so that the hot path need not search. */
  thresholdMs: number;
  beatsUntilRefresh: number;
};

export type Suspicion = {
  /** −log10 of the probability that a live node is silent this long; 0 while the silence is normal. */
  level: number;
  /** Silence so far that counts (own stalls excused), milliseconds. */
  silenceMs: number;
  /** Silence at which the node becomes suspect, milliseconds. */
  thresholdMs: number;
  /** When it becomes suspect if nothing arrives, receiver's clock; Infinity before the first beat. */
  suspectAtMs: number;
  /** `silenceMs >= thresholdMs` and no grace after an own stall is running. */
  suspected: boolean;
};

export const MS_PER_DAY = 86_400_000;
const MAX_FORMER_BOOT_IDS = 4;
const REFRESH_EVERY_BEATS = 32;

/**
 * State of a detector that has heard nothing yet.
 * @throws RangeError when the interval or the budget is not a positive number (a bug of the caller).
 */
export function createDetector(config: DetectorConfig): DetectorState {
  const { intervalMs, mistakesPerNodeDay } = config;
  if (!(intervalMs > 0) || !Number.isFinite(intervalMs)) throw new RangeError("intervalMs must be a positive number");
  if (!(mistakesPerNodeDay > 0)) throw new RangeError("mistakesPerNodeDay must be positive");
  const minSilenceMs = config.minSilenceMs ?? 1.2 * intervalMs;
  const state: DetectorState = {
    intervalMs,
    mistakesPerBeat: Math.min(0.5, (mistakesPerNodeDay * intervalMs) / MS_PER_DAY),
    minSilenceMs,
    maxSilenceMs: Math.max(minSilenceMs, config.maxSilenceMs ?? 30 * intervalMs),
    bootId: null,
    formerBootIds: [],
    highestSeq: -1,
    lastArrivalMs: 0,
    lastSenderMonoMs: 0,
    silences: createHistogram(),
    thresholdMs: 0,
    beatsUntilRefresh: 0,
  };
  refreshThreshold(state);
  return state;
}

/**
 * Takes one beat. Duplicates and beats older than the newest change nothing; a beat of a new boot id starts a new
 * incarnation (its gap is no silence to learn from, what was learned of the node's rhythm stays).
 * `stalls` is the receiver's own stall log: time stalled is not learned as the node's silence.
 * Mutates and returns `state`.
 */
export function recordArrival(state: DetectorState, beat: Beat, stalls?: StallLog): DetectorState {
  if (beat.bootId !== state.bootId) {
    if (state.formerBootIds.includes(beat.bootId)) return state;
    startIncarnation(state, beat);
    return state;
  }
  if (beat.seq <= state.highestSeq) return state;
  const arrivalMs = Math.max(beat.arrivalMs, state.lastArrivalMs);
  const excused = stalls === undefined ? 0 : excusedMs(stalls, state.lastArrivalMs, arrivalMs);
  const silenceMs = arrivalMs - state.lastArrivalMs - excused;
  addSilence(state.silences, silenceMs / state.intervalMs);
  state.highestSeq = beat.seq;
  state.lastArrivalMs = arrivalMs;
  state.lastSenderMonoMs = beat.senderMonoMs;
  if (--state.beatsUntilRefresh <= 0 || silenceMs > state.thresholdMs) refreshThreshold(state);
  return state;
}

function startIncarnation(state: DetectorState, beat: Beat): void {
  if (state.bootId !== null) {
    state.formerBootIds.push(state.bootId);
    if (state.formerBootIds.length > MAX_FORMER_BOOT_IDS) state.formerBootIds.shift();
  }
  state.bootId = beat.bootId;
  state.highestSeq = beat.seq;
  state.lastArrivalMs = Math.max(beat.arrivalMs, state.lastArrivalMs);
  state.lastSenderMonoMs = beat.senderMonoMs;
}

function refreshThreshold(state: DetectorState): void {
  const { silences, mistakesPerBeat, intervalMs, minSilenceMs, maxSilenceMs } = state;
  const ratio = silenceForTail(silences, mistakesPerBeat, maxSilenceMs / intervalMs);
  state.thresholdMs = Math.min(maxSilenceMs, Math.max(minSilenceMs, ratio * intervalMs));
  state.beatsUntilRefresh = REFRESH_EVERY_BEATS;
}

/** How suspect the node is at `nowMs`. Level, silence and verdict never fall while nothing arrives and we do not stall. */
export function suspicion(state: DetectorState, nowMs: number, stalls?: StallLog): Suspicion {
  const { thresholdMs, lastArrivalMs, bootId } = state;
  if (bootId === null) {
    return { level: 0, silenceMs: 0, thresholdMs, suspectAtMs: Number.POSITIVE_INFINITY, suspected: false };
  }
  const elapsedMs = Math.max(0, nowMs - lastArrivalMs);
  const silenceMs =
    stalls === undefined ? elapsedMs : elapsedMs - excusedMs(stalls, lastArrivalMs, lastArrivalMs + elapsedMs);
  const level = Math.max(0, -Math.log10(tailProbability(state.silences, silenceMs / state.intervalMs)));
  const suspectAtMs = nextDeadlineMs(state, stalls);
  return { level, silenceMs, thresholdMs, suspectAtMs, suspected: silenceMs >= thresholdMs && nowMs >= suspectAtMs };
}

/** When to look again: the moment the node becomes suspect if nothing arrives. Infinity before the first beat. */
export function nextDeadlineMs(state: DetectorState, stalls?: StallLog): number {
  if (state.bootId === null) return Number.POSITIVE_INFINITY;
  const deadlineMs = state.lastArrivalMs + state.thresholdMs;
  if (stalls === undefined || stalls.stalls.length === 0) return deadlineMs;
  const excused = excusedMs(stalls, state.lastArrivalMs, Number.POSITIVE_INFINITY);
  return Math.max(deadlineMs + excused, graceEndsMs(stalls));
}
