import { classifyMetric, type MetricKind } from "./metric-kind.ts";
import type { Onset } from "./onset.ts";
import { type SplitSeries, splitAt } from "./series-window.ts";
import { mean, median, overWindows, quantile, trimmedMean } from "./statistics.ts";
import type { Series, TelemetryWindow } from "./telemetry.ts";

/** What users feel: seconds waited, or requests lost. */
export type Suffering = "waiting" | "losing";

/** How much worse a node serves since the fault, per sampling period, summed over its requests. */
export interface Excess {
  readonly metric: string;
  /** The indicator as expected, and its median since the fault, in the metric's own unit. */
  readonly before: number;
  readonly after: number;
  /** Seconds waited, or requests lost, beyond expectation. */
  readonly amount: number;
  /** How much of that the node shows in normal operation too. */
  readonly noise: number;
  /** In normal operation: seconds waited in all, or requests served. */
  readonly volume: number;
}

/** Of the normal windows as long as the judged one, this share stays below the noise level. */
const NOISE_QUANTILE = 0.975;

/** A metric of the kind asked for, and how its values turn into suffering per request. */
interface Indicator {
  readonly metric: string;
  readonly perUnit: number;
  /** What to expect where nothing is known. */
  readonly ideal: number;
}

/** A node's indicator with all that is known of it before any hypothesis about the fault. */
export interface Service {
  readonly indicator: Indicator;
  readonly series: Series;
  readonly load: Series | undefined;
  /** The indicator's normal values. */
  readonly history: readonly number[];
  /** What each normal sample cost the users beyond the usual. */
  readonly normalExcess: readonly number[];
  readonly volume: number;
}

/**
 * Reads how a node serves its users; `undefined` when it has no such metric. A percentile stands in for a missing average,
 * and without a request count every sample counts as one request.
 */
export function observeService(window: TelemetryWindow, node: string, suffering: Suffering): Service | undefined {
  const table = window.current.metrics[node];
  const indicator = chooseIndicator(table, suffering);
  if (table === undefined || indicator === undefined) return undefined;
  const { metric, perUnit, ideal } = indicator;
  const requests = chooseMetric(table, "requests");
  const normal = window.normal.metrics[node] ?? {};
  const history = normal[metric] ?? NOTHING;
  const load = requests === undefined ? undefined : (normal[requests] ?? NOTHING);
  const volume = suffering === "waiting" ? mean(sufferingOf(history, load, 0, 1)) : mean(load?.values ?? [1]);
  return {
    indicator,
    series: table[metric]!,
    load: requests === undefined ? undefined : table[requests],
    history: history.values,
    normalExcess: sufferingOf(history, load, worst([history.values], perUnit, ideal), perUnit),
    volume: volume || 0,
  };
}

/** Measures what a node's users suffer since the onset; `undefined` when it has no sample since. */
export function measureExcess(
  { indicator, series, load, history, normalExcess, volume }: Service,
  onset: Onset,
): Excess | undefined {
  const { metric, perUnit, ideal } = indicator;
  const values = splitAt(series, onset);
  if (values.after.length === 0) return undefined;
  const expected = worst([history, values.before], perUnit, ideal);
  return {
    metric,
    before: expected,
    after: median(values.after),
    amount: persistent(sufferingOf(afterOf(values), load, expected, perUnit)),
    noise: quantile(overWindows(normalExcess, values.after.length, persistent), NOISE_QUANTILE) || 0,
    volume,
  };
}

/** The suffering since the onset against the time just before it alone, noise and all: is there anything to explain? */
export function measureVisible({ indicator, series, load, history }: Service, onset: Onset): number {
  const values = splitAt(series, onset);
  const expected = worst([values.before.length > 0 ? values.before : history], indicator.perUnit, indicator.ideal);
  return mean(sufferingOf(afterOf(values), load, expected, indicator.perUnit)) || 0;
}

function chooseIndicator(
  table: Readonly<Record<string, Series>> | undefined,
  suffering: Suffering,
): Indicator | undefined {
  if (suffering === "waiting") {
    const metric = chooseMetric(table, "latency");
    return metric === undefined ? undefined : { metric, perUnit: 1, ideal: 0 };
  }
  const availability = chooseMetric(table, "availability");
  if (availability !== undefined) return { metric: availability, perUnit: -0.01, ideal: 100 };
  const errors = chooseMetric(table, "errors");
  return errors === undefined ? undefined : { metric: errors, perUnit: 0.01, ideal: 0 };
}

/** The most "average" server-side metric of a kind. */
function chooseMetric(table: Readonly<Record<string, Series>> | undefined, kind: MetricKind): string | undefined {
  let best: string | undefined;
  let bestRank = Number.POSITIVE_INFINITY;
  for (const name of Object.keys(table ?? {})) {
    const meaning = classifyMetric(name);
    if (meaning.kind !== kind || meaning.side === "client" || meaning.scope === "host") continue;
    if (meaning.preference < bestRank) {
      best = name;
      bestRank = meaning.preference;
    }
  }
  return best;
}

const NOTHING: Series = { timesS: [], values: [] };

function afterOf({ after, afterTimesS }: SplitSeries): Series {
  return { timesS: afterTimesS, values: after };
}

/** What each sample costs the users: requests × how much worse than expected. Without a load every sample is one request. */
function sufferingOf(series: Series, load: Series | undefined, expected: number, perUnit: number): number[] {
  let at = 0;
  return series.values.map((value, i) => {
    const worse = Math.max(0, perUnit * (value - expected));
    if (load === undefined) return worse;
    while (at < load.timesS.length && load.timesS[at]! < series.timesS[i]!) at += 1;
    return load.timesS[at] === series.timesS[i] ? load.values[at]! * worse : 0;
  });
}

/** A fault lasts: the mean without the highest and lowest fifth, so that a few bad moments in a long window are none. */
function persistent(values: readonly number[]): number {
  return trimmedMean(values, 0.2);
}

/** The worst of several medians: what was already so, in normal operation or just before, is not this fault's doing. */
function worst(periods: readonly (readonly number[])[], perUnit: number, ideal: number): number {
  const known = periods.filter((values) => values.length > 0).map((values) => median(values));
  if (known.length === 0) return ideal;
  return perUnit > 0 ? Math.max(...known) : Math.min(...known);
}
