import type { Context } from "./context.ts";
import type { Finding } from "./evidence.ts";
import { attributeGaps } from "./gap-attribution.ts";
import { AFTER, NORMAL, type OpNames, type SpanIndex } from "./span-index.ts";
import { median, quantile, trimmedMean } from "./statistics.ts";

/** Durations of one kind of span, in microseconds, before and after the fault. */
interface Durations {
  readonly node: number;
  /** The other end of a call, or -1 for time the node spent itself. */
  readonly peer: number;
  readonly op: number;
  readonly normal: number[];
  before: number[];
  readonly after: number[];
}

const MIN_SAMPLES = 3;

/** Time that spans spend in their own node, beyond what they spent before the fault. */
export function findSelfTimeExcess(indexes: readonly SpanIndex[], ops: OpNames): Finding[] {
  const groups = collect(indexes, (index, row) =>
    peerOf(index, row) >= 0 ? -1 : index.table.durationUs[row]! - index.childUs[row]!,
  );
  const perNode = new Map<number, { total: number; best: number; group: Durations }>();
  const afterUs = totalAfter(indexes);
  for (const group of groups) {
    if (group.peer >= 0 || group.before.length < MIN_SAMPLES || group.after.length < MIN_SAMPLES) continue;
    const excess = group.after.length * credibleShift(group.before, group.after);
    if (excess <= 0) continue;
    const known = perNode.get(group.node);
    if (!known) perNode.set(group.node, { total: excess, best: excess, group });
    else {
      known.total += excess;
      if (excess > known.best) Object.assign(known, { best: excess, group });
    }
  }
  return [...perNode].map(([node, { total, group }]) => ({
    node,
    family: "self-time",
    magnitude: total / Math.max(afterUs, 1),
    evidence: {
      kind: "self-time-excess",
      op: ops.names[group.op]!,
      beforeMs: median(group.before) / 1000,
      afterMs: median(group.after) / 1000,
      spans: group.after.length,
    },
  }));
}

/**
 * Time lost between a caller's span and its callee's, which is the network's (or a queue's). A slow node delays every edge
 * it touches, its callers' and its callees', so each node is scored by the least-squares gain of "this node adds d to each
 * of its edges": (sum of gaps) / sqrt(edges).
 */
export function findNetworkGap(context: Context, indexes: readonly SpanIndex[]): Finding[] {
  const groups = collect(indexes, (index, row) => {
    const peer = peerOf(index, row);
    return peer < 0 ? -1 : index.table.durationUs[row]! - index.childUs[row]!;
  });
  const edges = new Map<number, { from: number; to: number; lateUs: number; before: number[]; after: number[] }>();
  for (const group of groups) {
    if (group.peer < 0 || group.before.length < MIN_SAMPLES || group.after.length < MIN_SAMPLES) continue;
    const key = group.node * 4096 + group.peer;
    const edge = edges.get(key) ?? { from: group.node, to: group.peer, lateUs: 0, before: [], after: [] };
    edge.lateUs += group.after.length * credibleShift(group.before, group.after);
    edge.before.push(...group.before);
    edge.after.push(...group.after);
    edges.set(key, edge);
  }
  const late = [...edges.values()].map((edge) => ({ ...edge, lateMs: edge.lateUs / edge.after.length / 1000 }));
  return attributeGaps(late).map((share) => ({
    node: share.node,
    family: "network-gap",
    magnitude: share.magnitude,
    evidence: {
      kind: "network-gap",
      peers: share.late.map((edge) => context.window.nodes[edge.from === share.node ? edge.to : edge.from]!),
      beforeMs: median(share.late.flatMap((edge) => edge.before)) / 1000,
      afterMs: median(share.late.flatMap((edge) => edge.after)) / 1000,
      calls: share.late.reduce((total, edge) => total + edge.after.length, 0),
    },
  }));
}

/** The callee of a client span (one child, on another node), or -1. */
function peerOf(index: SpanIndex, row: number): number {
  const child = index.onlyChild[row]!;
  if (child < 0) return -1;
  const callee = index.table.node[child]!;
  return callee === index.table.node[row] ? -1 : callee;
}

function collect(indexes: readonly SpanIndex[], measure: (index: SpanIndex, row: number) => number): Durations[] {
  const groups = new Map<number, Durations>();
  for (const index of indexes) {
    const { table } = index;
    for (let row = 0; row < table.op.length; row++) {
      const node = table.node[row]!;
      const value = measure(index, row);
      if (node < 0 || value < 0) continue;
      const peer = peerOf(index, row);
      const op = index.opId[table.op[row]!]!;
      const key = (op * 4096 + node) * 4096 + peer + 1;
      let group = groups.get(key);
      if (!group) {
        group = { node, peer, op, normal: [], before: [], after: [] };
        groups.set(key, group);
      }
      const period = index.period[row];
      (period === AFTER ? group.after : period === NORMAL ? group.normal : group.before).push(value);
    }
  }
  // The minutes before the stated fault time may already hold the fault: normal operation is the better witness.
  for (const group of groups.values()) if (group.normal.length >= MIN_SAMPLES) group.before = group.normal;
  return [...groups.values()];
}

/** How much longer, in the typical span, beyond twice the standard error of both sides: few samples claim little. */
function credibleShift(before: readonly number[], after: readonly number[]): number {
  const shift = trimmedMean(after, 0.25) - trimmedMean(before, 0.25);
  return Math.max(0, shift - 2 * Math.hypot(standardError(before), standardError(after)));
}

function standardError(values: readonly number[]): number {
  const spread = (quantile(values, 0.75) - quantile(values, 0.25)) / 1.35;
  return spread / Math.sqrt(values.length);
}

function totalAfter(indexes: readonly SpanIndex[]): number {
  let total = 0;
  for (const { table, period } of indexes) {
    for (let row = 0; row < table.op.length; row++) {
      if (period[row] === AFTER && table.parent[row]! < 0) total += table.durationUs[row]!;
    }
  }
  return total;
}
