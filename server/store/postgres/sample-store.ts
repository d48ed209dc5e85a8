import type { Pool } from "pg";
import type { Sample, SampleStore } from "../../ports/samples.ts";
import { alignSeries, chooseStepMs } from "../shared/series.ts";
import { type Connections, runStatement, type Statement } from "./connections.ts";

const statements = {
  nameSeries: {
    name: "name-series",
    // The update that changes nothing makes RETURNING answer for series that were already there.
    text: `INSERT INTO sample_series (subject, name)
        SELECT DISTINCT subject, name FROM unnest($1::text[], $2::text[]) AS wanted (subject, name) ORDER BY 1, 2
      ON CONFLICT (subject, name) DO UPDATE SET name = excluded.name RETURNING id, subject, name`,
  },
  append: {
    name: "append-samples",
    text: `INSERT INTO samples (series_id, at, value)
        SELECT DISTINCT ON (1, 2) id, at, value
        FROM unnest($1::integer[], $2::float8[], $3::float8[]) WITH ORDINALITY AS row (id, at, value, position)
        ORDER BY 1, 2, position DESC
      ON CONFLICT (series_id, at) DO UPDATE SET value = excluded.value`,
  },
  read: {
    name: "read-series",
    text: `SELECT series.name, floor(samples.at / $5) * $5 AS at, avg(samples.value) AS mean
      FROM sample_series AS series JOIN samples ON samples.series_id = series.id
      WHERE series.subject = $1 AND series.name = ANY ($2) AND samples.at >= $3 AND samples.at < $4
      GROUP BY 1, 2`,
  },
  // In parts: one huge DELETE would hold its locks for long.
  drop: {
    name: "drop-samples",
    text: `WITH old AS (SELECT series_id, at FROM samples WHERE at < $1 LIMIT 20000),
        gone AS (DELETE FROM samples USING old WHERE samples.series_id = old.series_id AND samples.at = old.at RETURNING 1)
      SELECT count(*) AS rows FROM gone`,
  },
} as const satisfies Record<string, Statement>;

/** Numbers of series kept in memory. */
const maxKnownSeries = 200_000;

export function createPostgresSampleStore(connections: Connections): SampleStore {
  const { ingest, reads } = connections;
  const known = new Map<string, number>();
  return {
    async appendSamples(rows) {
      const finite = rows.filter((row) => Number.isFinite(row.value));
      if (finite.length === 0) return;
      await nameSeries(ingest, known, finite);
      const ids = finite.map((row) => known.get(seriesKey(row)));
      await runStatement(ingest, statements.append, [ids, finite.map((row) => row.at), finite.map((row) => row.value)]);
    },
    async readSeries(subject, names, fromMs, toMs, stepMs) {
      const values = [subject, [...names], fromMs, toMs, chooseStepMs(fromMs, toMs, stepMs)];
      return alignSeries(names, await runStatement(reads, statements.read, values));
    },
    async dropSamplesBefore(beforeMs) {
      let dropped = 0;
      for (;;) {
        const [row] = await runStatement<{ rows: string }>(reads, statements.drop, [beforeMs]);
        const rows = Number(row?.rows ?? 0);
        dropped += rows;
        if (rows === 0) return dropped;
      }
    },
  };
}

function seriesKey(row: Sample): string {
  return JSON.stringify([row.subject, row.name]);
}

async function nameSeries(pool: Pool, known: Map<string, number>, rows: readonly Sample[]): Promise<void> {
  if (known.size > maxKnownSeries) known.clear();
  const missing = rows.filter((row) => !known.has(seriesKey(row)));
  if (missing.length === 0) return;
  const values = [missing.map((row) => row.subject), missing.map((row) => row.name)];
  type Row = { id: number; subject: string; name: string };
  const found = await runStatement<Row>(pool, statements.nameSeries, values);
  for (const { id, subject, name } of found) known.set(JSON.stringify([subject, name]), id);
}
