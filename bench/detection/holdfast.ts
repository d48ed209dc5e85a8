/**
 * The product's detector on a trace, through the product's own functions and with the evidence a real server has: beats,
 * its own stalls noticed from late timer ticks, and what the siblings of a group do. Several aims share one pass: what is
 * learned of the node does not depend on the aim.
 */
import { createDetector, OVERDUE_INTERVALS, recordArrival } from "../../server/core/detection/accrual.ts";
import { deadlineAfter, type Excuses, mergeExcuses, type Stall } from "../../server/core/detection/excuses.ts";
import { createStallLog, recordTick } from "../../server/core/detection/self-suspicion.ts";
import { createGroupLog, DEFAULT_GROUP_CONFIG, recordGroup } from "../../server/core/detection/siblings.ts";
import { predict } from "../../server/core/detection/silence-model.ts";
import { type Aim, createSteering, steer } from "../../server/core/detection/threshold-policy.ts";
import type { Trace } from "./trace.ts";

const TICK_MS = 50;
const BOUNDS = { minRatio: 1, maxRatio: 128 };

/** What the receiver noticed of its own stalls: its timer ticks every 50 ms, except while its event loop was blocked. */
export function noticeStalls(trace: Trace): Stall[] {
  const noticed: Stall[] = [];
  for (const { fromMs, toMs } of trace.stalls) {
    const log = createStallLog();
    const lastTickMs = Math.floor(fromMs / TICK_MS) * TICK_MS;
    recordTick(recordTick(log, lastTickMs), toMs);
    noticed.push(...log.stalls);
  }
  return noticed;
}

/** When the group as a whole was silent, as the sibling rule judges at each moment a node becomes overdue or is heard. */
export function noticeGroupSilences(group: readonly Trace[]): Stall[] {
  const changes: { atMs: number; by: number }[] = [];
  for (const trace of group) {
    const { arrivedMs, intervalMs } = trace;
    for (let k = 0; k + 1 < arrivedMs.length; k++) {
      const overdueMs = arrivedMs[k]! + OVERDUE_INTERVALS * intervalMs;
      if (arrivedMs[k + 1]! > overdueMs) changes.push({ atMs: overdueMs, by: 1 }, { atMs: arrivedMs[k + 1]!, by: -1 });
    }
  }
  changes.sort((a, b) => a.atMs - b.atMs || a.by - b.by);
  const log = createGroupLog(groupConfig(group));
  const holds: Stall[] = [];
  let silent = 0;
  for (const { atMs, by } of changes) {
    silent += by;
    recordGroup(log, atMs, silent, group.length);
    const newest = log.stalls.at(-1);
    if (newest !== undefined && newest !== holds.at(-1)) holds.push(newest);
  }
  return holds;
}

function groupConfig(group: readonly Trace[]) {
  const intervalMs = Math.max(...group.map((trace) => trace.intervalMs));
  return { ...DEFAULT_GROUP_CONFIG, maxHoldMs: 30 * intervalMs, graceMs: intervalMs };
}

/** Everything that excuses silence in this trace. `all` are the traces replayed together. */
export function excusesFor(trace: Trace, all: readonly Trace[]): Excuses {
  const own: Excuses = { stalls: noticeStalls(trace), config: { graceMs: createStallLog().config.graceMs } };
  if (trace.group === null) return own;
  const group = all.filter((other) => other.group === trace.group);
  const common: Excuses = { stalls: noticeGroupSilences(group), config: groupConfig(group) };
  return mergeExcuses(own, common);
}

/** Deadlines after each arrival for each aim. */
export function replay(trace: Trace, aims: readonly Aim[], excuses: Excuses): Float64Array[] {
  const { seq, sentMs, arrivedMs, intervalMs } = trace;
  const deadlines = aims.map(() => new Float64Array(seq.length));
  const steerings = aims.map(createSteering);
  const nearby: { stalls: Stall[]; config: { graceMs: number } } = { stalls: [], config: excuses.config };
  // Any aim will do for the learner: only what it learned is read.
  const learner = createDetector({ intervalMs, mistakesPerNodeDay: 1 });
  let next = 0;
  let beats = 0;
  const choose = () => {
    const prediction = predict(learner.model);
    aims.forEach((aim, a) => {
      steer(steerings[a]!, aim, prediction, BOUNDS, beats);
    });
    beats = 0;
  };
  choose();
  for (let k = 0; k < seq.length; k++) {
    const arrivalMs = arrivedMs[k]!;
    while (next < excuses.stalls.length && excuses.stalls[next]!.fromMs < arrivalMs)
      nearby.stalls.push(excuses.stalls[next++]!);
    const before = learner.model.beats;
    recordArrival(learner, { seq: seq[k]!, bootId: trace.id, senderMonoMs: sentMs[k]!, arrivalMs }, nearby);
    beats += learner.model.beats - before;
    if (beats > 0 && learner.beatsSinceChoice === 0) choose();
    while (nearby.stalls.length > 0 && nearby.stalls[0]!.toMs + nearby.config.graceMs <= learner.lastArrivalMs)
      nearby.stalls.shift();
    for (let a = 0; a < aims.length; a++) {
      const silenceMs = steerings[a]!.thresholdRatio * intervalMs;
      deadlines[a]![k] = deadlineWithFuture(learner.lastArrivalMs, silenceMs, nearby, excuses.stalls, next);
    }
  }
  return deadlines;
}

/** The deadline as it will have turned out: stalls that begin before it count, wherever the replay stands now. */
function deadlineWithFuture(
  sinceMs: number,
  silenceMs: number,
  past: Excuses,
  all: readonly Stall[],
  next: number,
): number {
  const upcoming = all[next];
  const deadlineMs = deadlineAfter(sinceMs, silenceMs, past);
  if (upcoming === undefined || upcoming.fromMs >= deadlineMs) return deadlineMs;
  return deadlineAfter(sinceMs, silenceMs, {
    stalls: [...past.stalls, ...all.slice(next, next + 8)],
    config: past.config,
  });
}
