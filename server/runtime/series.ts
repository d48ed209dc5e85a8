import type { Sample } from "../ports/samples.ts";
import type { SeriesView } from "../protocol/index.ts";

/** Ten minutes at one second. */
const pointsKept = 600;
/** Series of one subject; a cluster with many standbys stays bounded. */
const seriesLimit = 64;

interface Ring {
  readonly at: Float64Array;
  readonly columns: Map<string, Float64Array>;
  next: number;
  count: number;
}

/** The last ten minutes of every node and cluster, in memory: what moves every second on a screen. */
export class RecentSeries {
  readonly #rings = new Map<string, Ring>();

  /** Adds one instant of a subject. Values that are null leave a hole. */
  add(subject: string, wallMs: number, values: Readonly<Record<string, number | null | undefined>>): void {
    let ring = this.#rings.get(subject);
    if (ring === undefined) {
      ring = { at: new Float64Array(pointsKept), columns: new Map(), next: 0, count: 0 };
      this.#rings.set(subject, ring);
    }
    const slot = ring.next;
    ring.at[slot] = wallMs;
    for (const column of ring.columns.values()) column[slot] = Number.NaN;
    for (const [name, value] of Object.entries(values)) {
      if (value === null || value === undefined || !Number.isFinite(value)) continue;
      const column = ring.columns.get(name) ?? addColumn(ring, name);
      if (column !== null) column[slot] = value;
    }
    ring.next = (slot + 1) % pointsKept;
    ring.count = Math.min(pointsKept, ring.count + 1);
  }

  read(subject: string): SeriesView {
    const ring = this.#rings.get(subject);
    if (ring === undefined) return { t: [], series: {} };
    const slots = Array.from({ length: ring.count }, (_, i) => (ring.next - ring.count + i + pointsKept) % pointsKept);
    const series: Record<string, (number | null)[]> = {};
    for (const [name, column] of ring.columns) series[name] = slots.map((slot) => toValue(column[slot]));
    return { t: slots.map((slot) => ring.at[slot] as number), series };
  }

  /** The newest instant of every subject, as rows for the store. */
  latest(): Sample[] {
    const rows: Sample[] = [];
    for (const [subject, ring] of this.#rings) {
      const slot = (ring.next - 1 + pointsKept) % pointsKept;
      for (const [name, column] of ring.columns) {
        const value = toValue(column[slot]);
        if (value !== null) rows.push({ subject, name, at: ring.at[slot] as number, value });
      }
    }
    return rows;
  }

  retain(subjects: ReadonlySet<string>): void {
    for (const subject of this.#rings.keys()) if (!subjects.has(subject)) this.#rings.delete(subject);
  }
}

function addColumn(ring: Ring, name: string): Float64Array | null {
  if (ring.columns.size >= seriesLimit) return null;
  const column = new Float64Array(pointsKept).fill(Number.NaN);
  ring.columns.set(name, column);
  return column;
}

function toValue(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
