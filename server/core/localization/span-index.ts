import type { Period, SpanTable } from "./telemetry.ts";

/** A call to another node. `peer` is -1 when the other end was not recorded. */
export interface Call {
  readonly startUs: number;
  readonly peer: number;
}

/** A span table with what the evidence needs: parents' child sums, the entry span of each span, and its period. */
export interface SpanIndex {
  readonly table: SpanTable;
  /** Summed duration of the direct children, microseconds. */
  readonly childUs: Float64Array;
  readonly childCount: Int32Array;
  /** The only child's row, or -1 when there are none or several. */
  readonly onlyChild: Int32Array;
  /** The span at which the request entered this span's node: the nearest ancestor whose parent is elsewhere. */
  readonly entry: Int32Array;
  /** `NORMAL`, or by when the span's trace began: `BEFORE`, in the `LAST` sampling period before the fault, or `AFTER`. */
  readonly period: Uint8Array;
  /** The calls to other nodes that each entry span's request made, in row order. */
  readonly calls: ReadonlyMap<number, readonly Call[]>;
  /** Global ids of `table.ops` names, shared between indexes that were built with one `OpNames`. */
  readonly opId: Int32Array;
}

/** Nodes are numbered below this, so that a pair of numbers fits one map key. */
export const NODE_LIMIT = 65_536;

export const NORMAL = 0;
export const BEFORE = 1;
export const LAST = 2;
export const AFTER = 3;

/** Operation names seen in any period, so that a name has one id everywhere. */
export class OpNames {
  readonly names: string[] = [];
  readonly #ids = new Map<string, number>();

  idOf(name: string): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    this.#ids.set(name, this.names.length);
    this.names.push(name);
    return this.names.length - 1;
  }
}

/**
 * Indexes a period's spans; `undefined` when it has none. `lastUs` is the length of the last sampling period before the
 * fault; without it the spans are of normal operation.
 */
export function indexSpans(period: Period, ops: OpNames, lastUs: number | undefined): SpanIndex | undefined {
  const table = period.spans;
  if (table === undefined || table.op.length === 0) return undefined;
  const size = table.op.length;
  const childUs = new Float64Array(size);
  const childCount = new Int32Array(size);
  const onlyChild = new Int32Array(size).fill(-1);
  for (let row = 0; row < size; row++) {
    const parent = table.parent[row]!;
    if (parent < 0 || parent >= size) continue;
    childUs[parent]! += table.durationUs[row]!;
    childCount[parent]! += 1;
    onlyChild[parent] = childCount[parent] === 1 ? row : -1;
  }
  const entry = findEntries(table);
  return {
    table,
    childUs,
    childCount,
    onlyChild,
    entry,
    period: lastUs === undefined ? new Uint8Array(size).fill(NORMAL) : splitPeriods(table, lastUs),
    calls: findCalls(table, onlyChild, entry),
    opId: Int32Array.from(table.ops, (name) => ops.idOf(name)),
  };
}

function splitPeriods(table: SpanTable, lastUs: number): Uint8Array {
  const startOf = new Map<number, number>();
  let trace = Number.NaN;
  let start = 0;
  for (let row = 0; row < table.op.length; row++) {
    // Spans of a trace mostly stand together: one look-up a run is enough.
    if (table.trace[row] !== trace) {
      startOf.set(trace, start);
      trace = table.trace[row]!;
      start = startOf.get(trace) ?? Number.POSITIVE_INFINITY;
    }
    start = Math.min(start, table.startUs[row]!);
  }
  startOf.set(trace, start);
  return Uint8Array.from(table.trace, (id) => {
    const begin = startOf.get(id)!;
    return begin >= 0 ? AFTER : begin >= -lastUs ? LAST : BEFORE;
  });
}

/** A call is a span whose operation is seen, anywhere on its node, to have its only child on another node. */
function findCalls(table: SpanTable, onlyChild: Int32Array, entry: Int32Array): Map<number, Call[]> {
  const callOps = new Set<number>();
  const keyOf = (row: number): number => table.op[row]! * NODE_LIMIT + table.node[row]!;
  for (let row = 0; row < table.op.length; row++) {
    const child = onlyChild[row]!;
    if (child >= 0 && table.node[child] !== table.node[row]) callOps.add(keyOf(row));
  }
  const calls = new Map<number, Call[]>();
  for (let row = 0; row < table.op.length; row++) {
    if (!callOps.has(keyOf(row))) continue;
    const child = onlyChild[row]!;
    const call = { startUs: table.startUs[row]!, peer: child < 0 ? -1 : table.node[child]! };
    const list = calls.get(entry[row]!);
    if (list) list.push(call);
    else calls.set(entry[row]!, [call]);
  }
  return calls;
}

const UNKNOWN = -1;
const ON_PATH = -2;

function findEntries(table: SpanTable): Int32Array {
  const size = table.op.length;
  const entry = new Int32Array(size).fill(UNKNOWN);
  const path: number[] = [];
  for (let row = 0; row < size; row++) {
    let at = row;
    while (entry[at] === UNKNOWN) {
      entry[at] = ON_PATH;
      path.push(at);
      const parent = table.parent[at]!;
      // A malformed table may hold a cycle of parents: its first span stands for the entry.
      if (parent < 0 || parent >= size || table.node[parent] !== table.node[at] || entry[parent] === ON_PATH) {
        entry[at] = at;
        break;
      }
      at = parent;
    }
    const found = entry[at]!;
    for (const visited of path) entry[visited] = found;
    path.length = 0;
  }
  return entry;
}
