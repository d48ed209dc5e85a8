/** A window of time series that grows at its live end; charts read it and are told when to draw, without React in between. */
export interface SeriesWindow {
  readonly t: number[];
  readonly series: Record<string, (number | null)[]>;
}

export interface SeriesSource {
  readonly read: () => SeriesWindow;
  readonly subscribe: (listener: () => void) => () => void;
  /** Replaces everything older than the live end by recorded history. */
  readonly load: (history: {
    readonly t: readonly number[];
    readonly series: Readonly<Record<string, readonly (number | null)[]>>;
  }) => void;
  readonly append: (at: number, values: Readonly<Record<string, number | null>>) => void;
}

/** Points kept at most: a window of an hour at one a second. */
const MAX_POINTS = 3_600;

export function createSeriesSource(rangeMs: number): SeriesSource {
  let data: SeriesWindow = { t: [], series: {} };
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of [...listeners]) listener();
  };

  return {
    read: () => data,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    load: (history) => {
      const end = history.t.at(-1) ?? Number.NEGATIVE_INFINITY;
      const keep = data.t.findIndex((at) => at > end);
      const next: SeriesWindow = { t: [...history.t], series: {} };
      for (const name of Object.keys(history.series)) next.series[name] = [...(history.series[name] ?? [])];
      if (keep >= 0) {
        next.t.push(...data.t.slice(keep));
        for (const name of new Set([...Object.keys(next.series), ...Object.keys(data.series)])) {
          const column = next.series[name] ?? new Array<number | null>(history.t.length).fill(null);
          column.push(...(data.series[name]?.slice(keep) ?? new Array<number | null>(data.t.length - keep).fill(null)));
          next.series[name] = column;
        }
      }
      data = next;
      tell();
    },
    append: (at, values) => {
      const last = data.t.at(-1);
      if (last !== undefined && at <= last) return;
      const length = data.t.length;
      for (const name of Object.keys(values)) data.series[name] ??= new Array<number | null>(length).fill(null);
      data.t.push(at);
      for (const [name, column] of Object.entries(data.series)) column.push(values[name] ?? null);
      trim(data, at - rangeMs * 1.1);
      tell();
    },
  };
}

function trim(data: SeriesWindow, olderThan: number): void {
  let drop = 0;
  while (drop < data.t.length && ((data.t[drop] as number) < olderThan || data.t.length - drop > MAX_POINTS)) drop += 1;
  if (drop === 0) return;
  data.t.splice(0, drop);
  for (const column of Object.values(data.series)) column.splice(0, drop);
}
