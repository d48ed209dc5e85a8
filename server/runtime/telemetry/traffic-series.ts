import { addSparse, durationBuckets, histogramQuantileMs } from "../../protocol/duration-histogram.ts";
import type { DurationCount, TrafficFigures } from "../../protocol/index.ts";
import { SecondSeries } from "./second-series.ts";

/** Late counts of a second still change its percentile while its histogram is kept. */
const histogramsKept = 30;

/** Counts, failures and durations of one service's requests, or of the calls along one edge, by the second. */
export class TrafficSeries {
  readonly #series = new SecondSeries(5);
  readonly #histograms = new Map<number, Uint32Array>();

  get newest(): number {
    return this.#series.newest;
  }

  get oldest(): number {
    return this.#series.oldest;
  }

  add(second: number, counted: DurationCount): void {
    const series = this.#series;
    series.add("count", second, counted.count);
    series.add("errors", second, counted.errors);
    series.add("sumMs", second, counted.durationSumMs);
    series.raise("maxMs", second, counted.durationMaxMs);
    const histogram = this.#histogramOf(second);
    if (histogram === null) return;
    addSparse(histogram, counted.histogram);
    const p95 = histogramQuantileMs(histogram, 0.95);
    if (p95 !== null) series.set("p95Ms", second, Math.min(p95, series.get("maxMs", second)));
  }

  /** Sums over `[from, to)`; `seconds` with any traffic. */
  sum(from: number, to: number): { count: number; errors: number; sumMs: number; p95Ms: number; seconds: number } {
    const total = { count: 0, errors: 0, sumMs: 0, p95Ms: 0, seconds: 0 };
    for (let second = from; second < to; second += 1) {
      const count = this.#series.get("count", second);
      if (Number.isNaN(count)) continue;
      total.seconds += 1;
      total.count += count;
      total.errors += this.#series.get("errors", second);
      total.sumMs += this.#series.get("sumMs", second);
      // The mean of percentiles, weighted by traffic: near enough where the traffic is steady.
      total.p95Ms += (this.#series.get("p95Ms", second) || 0) * count;
    }
    if (total.count > 0) total.p95Ms /= total.count;
    return total;
  }

  figures(from: number, to: number): TrafficFigures {
    if (this.newest < from) return noTraffic;
    const { count, errors, sumMs, p95Ms } = this.sum(from, to);
    if (count === 0) return { ...noTraffic, perSecond: 0 };
    return {
      perSecond: round(count / (to - from)),
      errorShare: errors / count,
      latencyMeanMs: round(sumMs / count),
      latencyP95Ms: round(p95Ms),
    };
  }

  /** One second by the names that screens use. */
  read(metric: string, second: number): number | null {
    const count = this.#series.get("count", second);
    if (metric === "requests") {
      const known = second >= this.oldest && second <= this.newest;
      return Number.isNaN(count) ? (known ? 0 : null) : count;
    }
    if (!(count > 0)) return null;
    if (metric === "errorPercent") return round((100 * this.#series.get("errors", second)) / count);
    if (metric === "latencyMeanMs") return round(this.#series.get("sumMs", second) / count);
    if (metric === "latencyMaxMs") return round(this.#series.get("maxMs", second));
    return metric === "latencyP95Ms" ? round(this.#series.get("p95Ms", second)) : null;
  }

  #histogramOf(second: number): Uint32Array | null {
    const known = this.#histograms.get(second);
    if (known !== undefined) return known;
    if (second <= this.#series.newest - histogramsKept) return null;
    const made = new Uint32Array(durationBuckets);
    this.#histograms.set(second, made);
    for (const old of this.#histograms.keys()) {
      if (old <= this.#series.newest - histogramsKept) this.#histograms.delete(old);
    }
    return made;
  }
}

export const trafficMetrics = ["requests", "errorPercent", "latencyMeanMs", "latencyP95Ms", "latencyMaxMs"] as const;
export const noTraffic: TrafficFigures = { perSecond: null, errorShare: null, latencyMeanMs: null, latencyP95Ms: null };

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
