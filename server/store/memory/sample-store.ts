import type { Sample, SampleStore } from "../../ports/samples.ts";
import { alignSeries, chooseStepMs, type StepMean } from "../shared/series.ts";
import { type MemoryTables, requireAvailable } from "./tables.ts";

export function createMemorySampleStore(tables: MemoryTables): SampleStore {
  return {
    async appendSamples(rows) {
      requireAvailable(tables);
      for (const row of rows) tables.samples.set(JSON.stringify([row.subject, row.name, row.at]), row);
    },
    async readSeries(subject, names, fromMs, toMs, stepMs) {
      requireAvailable(tables);
      const wanted = [...tables.samples.values()].filter(
        (row) => row.subject === subject && names.includes(row.name) && row.at >= fromMs && row.at < toMs,
      );
      return alignSeries(names, meanBySteps(wanted, chooseStepMs(fromMs, toMs, stepMs)));
    },
    async dropSamplesBefore(beforeMs) {
      requireAvailable(tables);
      const old = [...tables.samples].filter(([, row]) => row.at < beforeMs);
      for (const [key] of old) tables.samples.delete(key);
      return old.length;
    },
  };
}

function meanBySteps(rows: readonly Sample[], stepMs: number): StepMean[] {
  const steps = new Map<string, { name: string; at: number; sum: number; count: number }>();
  for (const row of rows) {
    const at = Math.floor(row.at / stepMs) * stepMs;
    const key = `${at} ${row.name}`;
    const step = steps.get(key) ?? { name: row.name, at, sum: 0, count: 0 };
    step.sum += row.value;
    step.count += 1;
    steps.set(key, step);
  }
  return [...steps.values()].map(({ name, at, sum, count }) => ({ name, at, mean: sum / count }));
}
