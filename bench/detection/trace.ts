/** Heartbeat traces: gzip text, one JSON header line, then `dseq,dsendUs,delayUs[,receiverClockOffsetUs]` a beat that arrived. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** Columns of the beats that arrived, in order of arrival (ties by seq). Times are milliseconds of one true clock. */
export type Trace = {
  id: string;
  /** Kind of network or trouble; the score is averaged over these. */
  traceClass: string;
  intervalMs: number;
  /** Traces of one group ran at the same time under the same receiver. */
  group: string | null;
  /** Intervals in which the receiver's event loop was blocked, milliseconds. */
  stalls: readonly { fromMs: number; toMs: number }[];
  seq: Int32Array;
  sentMs: Float64Array;
  arrivedMs: Float64Array;
};

type Header = { id: string; class: string; intervalMs: number; group?: string; stalls?: [number, number][] };

function isHeader(value: unknown): value is Header {
  if (typeof value !== "object" || value === null) return false;
  const header = value as Partial<Header>;
  return typeof header.id === "string" && typeof header.class === "string" && Number(header.intervalMs) > 0;
}

/** Parses the text of one trace. @throws Error when the first line is not a trace header. */
export function parseTrace(text: string): Trace {
  const lines = text.split("\n");
  const header: unknown = JSON.parse(lines[0] ?? "null");
  if (!isHeader(header)) throw new Error("not a heartbeat trace: the first line needs id, class and intervalMs");
  const beats: { seq: number; sentMs: number; arrivedMs: number }[] = [];
  let seq = 0;
  let sentUs = 0;
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!;
    if (line === "") continue;
    const [deltaSeq, deltaSentUs, delayUs] = line.split(",");
    seq += Number(deltaSeq);
    sentUs += Number(deltaSentUs);
    beats.push({ seq, sentMs: sentUs / 1000, arrivedMs: (sentUs + Number(delayUs)) / 1000 });
  }
  beats.sort((a, b) => a.arrivedMs - b.arrivedMs || a.seq - b.seq);
  return {
    id: header.id,
    traceClass: header.class,
    intervalMs: header.intervalMs,
    group: header.group ?? null,
    stalls: (header.stalls ?? []).map(([fromMs, toMs]) => ({ fromMs, toMs })),
    seq: Int32Array.from(beats, (b) => b.seq),
    sentMs: Float64Array.from(beats, (b) => b.sentMs),
    arrivedMs: Float64Array.from(beats, (b) => b.arrivedMs),
  };
}

/** Reads every `*.hb.gz` of a folder, by name. */
export function readTraces(folder: string): Trace[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".hb.gz"));
  return names.sort().map((name) => parseTrace(gunzipSync(readFileSync(join(folder, name))).toString("utf8")));
}
