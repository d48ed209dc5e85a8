import { AFTER, type Call, LAST, type SpanIndex } from "./span-index.ts";

/** One thing a request did inside a node, in order: a log line or a span. `label` identifies it across requests. */
export interface Step {
  readonly timeUs: number;
  readonly label: number;
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

const NODE_LIMIT = 65536;

/**
 * Adds one period's requests to `kinds`. `steps` holds, by entry span, what each request did; an empty list is a request that
 * did nothing visible, which counts too.
 */
export function countTransitions(
  index: SpanIndex,
  steps: ReadonlyMap<number, Step[]>,
  kinds: Map<number, RequestKind>,
): void {
  const { table } = index;
  for (const [entry, list] of steps) {
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
    list.sort((a, b) => a.timeUs - b.timeUs);
    const period = index.period[entry]!;
    countRequest(transitions, list, period, period >= LAST ? (index.calls.get(entry) ?? []) : []);
  }
}

/** The operation by which the calling request entered the caller's node, or -1. */
function callerOp({ table, entry, opId }: SpanIndex, row: number): number {
  const parent = table.parent[row]!;
  return parent < 0 ? -1 : opId[table.op[entry[parent]!]!]!;
}

function countRequest(table: TransitionTable, steps: readonly Step[], period: number, calls: readonly Call[]): void {
  let from = START;
  let fromUs = Number.NEGATIVE_INFINITY;
  for (let i = 0; i <= steps.length; i++) {
    const step = steps[i];
    const to = step?.label ?? END;
    // Collectors deliver at least once, and loops vary with the input: a step repeated in a row is one step.
    if (to === from) continue;
    const toUs = step?.timeUs ?? Number.POSITIVE_INFINITY;
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
