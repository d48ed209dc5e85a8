import type { Demo } from "../../demo/demo.ts";
import type { SeriesView, ServiceView } from "../../server/protocol/index.ts";

/** What simple tools would blame, from the same telemetry at the same moment. */
export interface BaselineAnswer {
  /** The service with the most failed requests; the loudest one where none failed. */
  readonly errorSpans: string | null;
  /** The service with the highest z-score over all of its metrics. */
  readonly zScore: string | null;
}

const normalMs = 60_000;
/** Between normal and now nothing is certain. */
const gapMs = 5_000;

export async function askBaselines(demo: Demo, faultAt: number, now: number): Promise<BaselineAnswer> {
  const { items } = await demo.api.get<{ readonly items: readonly ServiceView[] }>("services");
  let most = 0;
  let errorSpans: string | null = null;
  let highest = 0;
  let zScore: string | null = null;
  for (const { name } of items) {
    const path = `services/${encodeURIComponent(name)}/series?fromMs=${Math.round(faultAt - normalMs)}&toMs=${Math.round(now)}`;
    const view = await demo.api.get<SeriesView>(path).catch(() => null);
    if (view === null) continue;
    const failed = countFailed(view, faultAt);
    if (failed > most) [most, errorSpans] = [failed, name];
    const loudest = loudestMetric(view, faultAt);
    if (loudest > highest) [highest, zScore] = [loudest, name];
  }
  return { errorSpans: errorSpans ?? zScore, zScore };
}

function countFailed({ t, series }: SeriesView, faultAt: number): number {
  const { requests = [], errorPercent = [] } = series;
  return t.reduce((sum, at, i) => (at < faultAt ? sum : sum + ((requests[i] ?? 0) * (errorPercent[i] ?? 0)) / 100), 0);
}

function loudestMetric({ t, series }: SeriesView, faultAt: number): number {
  let loudest = 0;
  for (const values of Object.values(series)) {
    const before = pick(t, values, (at) => at < faultAt - gapMs);
    const after = pick(t, values, (at) => at >= faultAt);
    if (before.length < 5 || after.length === 0) continue;
    const mean = average(before);
    const spread = Math.sqrt(average(before.map((value) => (value - mean) ** 2)));
    loudest = Math.max(loudest, Math.abs(average(after) - mean) / Math.max(spread, 1e-9));
  }
  return loudest;
}

function pick(t: readonly number[], values: readonly (number | null)[], wanted: (at: number) => boolean): number[] {
  return values.filter((value, i): value is number => value !== null && wanted(t[i] as number));
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
