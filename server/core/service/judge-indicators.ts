import { median } from "../localization/statistics.ts";
import { createMemoryLive, judgeMemory } from "./judge-memory.ts";
import type { Breach, ServiceLive, ServiceMeasure } from "./types.ts";

/** Sound seconds that are remembered, and how many it takes before a latency can be called unusual. */
const historyKept = 300;
const historyNeeded = 20;
/** What has just started answers late for a while: caches are cold, code is not compiled yet. */
const warmUp = 10;
/** A measure covers the last seconds: what it shows began before it. */
export const measureCoversMs = 5_000;

const minRequests = 10;
const minErrors = 3;
const minErrorShare = 0.05;
const timesNormalShare = 3;
const timesNormalLatency = 2.5;
/** In median deviations from the median: up to half of the history may be bad without licensing more of it. */
const timesDeviation = 8;
const minExcessMs = 100;

/**
 * Against the service's own normal, and never by a ratio alone: a service that answers in one millisecond may take three.
 * Its usual deviation keeps one that is restless by nature from being called broken.
 */
export function findBreach(live: ServiceLive, measure: ServiceMeasure): Breach | null {
  if (measure.requests < minRequests) return null;
  return findErrors(live, measure) ?? findLateness(live, measure);
}

function findErrors({ errorShares }: ServiceLive, { requests, errorShare }: ServiceMeasure): Breach | null {
  if (errorShare === null || errorShare * requests < minErrors) return null;
  const normal = errorShares.length > 0 ? median(errorShares) : 0;
  const limit = Math.max(minErrorShare, timesNormalShare * normal);
  return errorShare > limit ? { indicator: "error-share", value: errorShare, normal, limit } : null;
}

function findLateness({ latenciesMs }: ServiceLive, { latencyP95Ms }: ServiceMeasure): Breach | null {
  if (latencyP95Ms === null || latenciesMs.length < historyNeeded) return null;
  const normal = median(latenciesMs);
  const deviation = median(latenciesMs.map((each) => Math.abs(each - normal)));
  const limit = Math.max(timesNormalLatency * normal, normal + timesDeviation * deviation, normal + minExcessMs);
  return latencyP95Ms > limit ? { indicator: "latency-p95", value: latencyP95Ms, normal, limit } : null;
}

/** Takes a measure in. `isCalm`: nothing is wrong around it, so that this is what normal looks like. */
export function takeMeasure(live: ServiceLive, measure: ServiceMeasure, wallMs: number, isCalm: boolean): void {
  live.measure = measure;
  live.seen += 1;
  // What users feel comes first; memory is judged every time, because it has to be remembered.
  const growth = judgeMemory(live.memory, measure.memoryBytes, wallMs);
  live.breach = findBreach(live, measure) ?? growth;
  if (live.breach === null) {
    live.goodInRow += 1;
    live.badInRow = 0;
    live.badSinceMs = null;
    if (isCalm && measure.requests > 0 && live.seen > warmUp) remember(live, measure);
    return;
  }
  live.badInRow += 1;
  live.goodInRow = 0;
  live.badSinceMs ??= wallMs;
}

function remember({ latenciesMs, errorShares }: ServiceLive, { latencyP95Ms, errorShare }: ServiceMeasure): void {
  if (latencyP95Ms !== null) latenciesMs.push(latencyP95Ms);
  if (errorShare !== null) errorShares.push(errorShare);
  for (const history of [latenciesMs, errorShares]) if (history.length > historyKept) history.shift();
}

export function createServiceLive(measure: ServiceMeasure): ServiceLive {
  return {
    name: measure.name,
    measure,
    latenciesMs: [],
    errorShares: [],
    memory: createMemoryLive(),
    seen: 0,
    breach: null,
    badInRow: 0,
    goodInRow: 0,
    badSinceMs: null,
  };
}
