import { AFTER, type Call, LAST, NODE_LIMIT, type SpanIndex } from "./span-index.ts";

/** Everything one period's requests did, request by request: steps `offsets[i]` to `offsets[i + 1]` are `entries[i]`'s. */
export interface StepTable {
  /** Entry spans, one a request. */
  readonly entries: Int32Array;
  readonly offsets: Int32Array;
  /** In order of time within a request. */
  readonly timesUs: Float64Array;
  /** Identifies the same step (a log line, a span's operation) across requests. */
  readonly labels: Int32Array;
}

/**
 * Sorts steps into requests. Step `i` happened at `timesUs[i]` in the request that entered by span `entryOf[i]` (-1: none).
 * A request that shows nothing is kept with no steps: silence may be the change.
 */
export function buildSteps(
  index: SpanIndex,
  entryOf: Int32Array,
  timesUs: Float64Array,
  labels: Int32Array,
): StepTable {
  const entries = index.entry.filter((entry, row) => entry === row);
  const slot = new Int32Array(index.entry.length).fill(-1);
  for (const [i, entry] of entries.entries()) slot[entry] = i;
  const offsets = new Int32Array(entries.length + 1);
  for (const entry of entryOf) if (entry >= 0) offsets[slot[entry]! + 1]! += 1;
  for (let i = 0; i < entries.length; i++) offsets[i + 1]! += offsets[i]!;
  const order = new Int32Array(offsets[entries.length]!);
  const next = offsets.slice();
  for (let i = 0; i < entryOf.length; i++) if (entryOf[i]! >= 0) order[next[slot[entryOf[i]!]!]!++] = i;
  // Telemetry mostly arrives in order, and a stable sort leaves ties as they came.
  for (let i = 0; i < entries.length; i++) sortByTime(order.subarray(offsets[i]!, offsets[i + 1]!), timesUs);
  return {
    entries,
    offsets,
    timesUs: Float64Array.from(order, (i) => timesUs[i]!),
    labels: Int32Array.from(order, (i) => labels[i]!),
  };
}

function sortByTime(order: Int32Array, timesUs: Float64Array): void {
  for (let i = 1; i < order.length; i++) {
    if (timesUs[order[i]!]! >= timesUs[order[i - 1]!]!) continue;
    order.sort((a, b) => timesUs[a]! - timesUs[b]! || a - b);
    return;
  }
}

/** Counts by period: normal, before, last period before the fault, after. */
export type Counts = [number, number, number, number];

/** How often one step followed another. */
export interface Follow {
  readonly seen: Counts;
  /** By callee (-1: unknown), how often a call to it lay in between: in the last period before the fault, and after. */
  readonly calledLast: Map<number, number>;
  readonly calledAfter: Map<number, number>;
}

export interface Transitions {
  readonly from: number;
  readonly seen: Counts;
  readonly next: Map<number, Follow>;
}

/** What followed what in one kind of request, by the step that came first. */
export type TransitionTable = Map<number, Transitions>;

/** One kind of request at one node, by the operation it entered by; counted apart for each operation that called it. */
export interface RequestKind {
  readonly node: number;
  readonly op: number;
  readonly byCaller: Map<number, TransitionTable>;
}

/** Labels of the first and the last step of every request. */
export const START = -1;
export const END = -2;

/** Adds one period's requests to `kinds`. */
export function countTransitions(index: SpanIndex, steps: StepTable, kinds: Map<number, RequestKind>): void {
  const { table } = index;
  for (const [i, entry] of steps.entries.entries()) {
    const node = table.node[entry]!;
    if (node < 0) continue;
    const op = index.opId[table.op[entry]!]!;
    const key = op * NODE_LIMIT + node;
    let kind = kinds.get(key);
    if (!kind) {
      kind = { node, op, byCaller: new Map() };
      kinds.set(key, kind);
    }
    const caller = callerOp(index, entry);
    let transitions = kind.byCaller.get(caller);
    if (!transitions) {
      transitions = new Map();
      kind.byCaller.set(caller, transitions);
    }
    const period = index.period[entry]!;
    const calls = period >= LAST ? (index.calls.get(entry) ?? []) : [];
    countRequest(transitions, steps, steps.offsets[i]!, steps.offsets[i + 1]!, period, calls);
  }
}

/** The operation by which the calling request entered the caller's node, or -1. */
function callerOp({ table, entry, opId }: SpanIndex, row: number): number {
  const parent = table.parent[row]!;
  return parent < 0 || parent >= entry.length ? -1 : opId[table.op[entry[parent]!]!]!;
}

function countRequest(
  table: TransitionTable,
  { timesUs, labels }: StepTable,
  begin: number,
  end: number,
  period: number,
  calls: readonly Call[],
): void {
  let from = START;
  let fromUs = Number.NEGATIVE_INFINITY;
  for (let i = begin; i <= end; i++) {
    const to = i < end ? labels[i]! : END;
    // Collectors deliver at least once, and loops vary with the input: a step repeated in a row is one step.
    if (to === from) continue;
    const toUs = i < end ? timesUs[i]! : Number.POSITIVE_INFINITY;
    const follow = followOf(table, from, to, period);
    follow.seen[period]! += 1;
    const call = calls.length === 0 ? undefined : lastCallBetween(calls, fromUs, toUs);
    if (call) {
      const called = period === AFTER ? follow.calledAfter : follow.calledLast;
      called.set(call.peer, (called.get(call.peer) ?? 0) + 1);
    }
    from = to;
    fromUs = toUs;
  }
}

/** Log times are often cut to the millisecond, so a call within the next one still counts as in between. */
function lastCallBetween(calls: readonly Call[], fromUs: number, toUs: number): Call | undefined {
  let last: Call | undefined;
  for (const call of calls) {
    if (call.startUs < fromUs || call.startUs > toUs + 1000) continue;
    if (last === undefined || call.startUs >= last.startUs) last = call;
  }
  return last;
}

function followOf(table: TransitionTable, from: number, to: number, period: number): Follow {
  let transitions = table.get(from);
  if (!transitions) {
    transitions = { from, seen: [0, 0, 0, 0], next: new Map() };
    table.set(from, transitions);
  }
  transitions.seen[period]! += 1;
  let follow = transitions.next.get(to);
  if (!follow) {
    follow = { seen: [0, 0, 0, 0], calledLast: new Map(), calledAfter: new Map() };
    transitions.next.set(to, follow);
  }
  return follow;
}
