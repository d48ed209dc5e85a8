import type { Context } from "./context.ts";
import type { Finding } from "./evidence.ts";
import { attributeGaps, type LateEdge } from "./gap-attribution.ts";
import { type Durations, measureShift, type Shift } from "./span-durations.ts";
import type { OpNames } from "./span-index.ts";

/** Time that spans spend in their own node, beyond what they used to, as a share of all the time that users waited. */
export function findSelfTimeExcess(
  { onset }: Context,
  groups: readonly Durations[],
  ops: OpNames,
  waitedUs: number,
): Finding[] {
  const nodes = new Map<number, { total: number; loudest: number; op: number; shift: Shift }>();
  for (const group of groups) {
    const shift = group.peer < 0 ? measureShift(group, onset.isEarly) : undefined;
    if (shift === undefined || shift.us === 0) continue;
    const excess = shift.us * shift.spans;
    const node = nodes.get(group.node) ?? { total: 0, loudest: 0, op: group.op, shift };
    node.total += excess;
    if (excess > node.loudest) Object.assign(node, { loudest: excess, op: group.op, shift });
    nodes.set(group.node, node);
  }
  return [...nodes].map(([node, { total, op, shift }]) => ({
    node,
    family: "self-time",
    magnitude: total / Math.max(waitedUs, 1),
    evidence: {
      kind: "self-time-excess",
      op: ops.names[op]!,
      beforeMs: shift.beforeUs / 1000,
      afterMs: shift.afterUs / 1000,
      spans: shift.spans,
    },
  }));
}

interface CallEdge extends LateEdge {
  readonly shift: Shift;
}

/** Time lost between a caller's span and its callee's, which is the network's (or a queue's), by the node that adds it. */
export function findNetworkGap({ window, onset }: Context, groups: readonly Durations[]): Finding[] {
  const edges = new Map<string, { from: number; to: number; lateUs: number; calls: number; loudest: Shift }>();
  for (const group of groups) {
    const shift = group.peer < 0 ? undefined : measureShift(group, onset.isEarly);
    if (shift === undefined) continue;
    const key = `${group.node}>${group.peer}`;
    const edge = edges.get(key) ?? { from: group.node, to: group.peer, lateUs: 0, calls: 0, loudest: shift };
    edge.lateUs += shift.us * shift.spans;
    edge.calls += shift.spans;
    if (shift.us > edge.loudest.us) edge.loudest = shift;
    edges.set(key, edge);
  }
  const late = [...edges.values()].map(
    ({ from, to, lateUs, calls, loudest }): CallEdge => ({ from, to, lateMs: lateUs / calls / 1000, shift: loudest }),
  );
  return attributeGaps(late).map((share) => {
    const loudest = share.late.reduce((best, edge) => (edge.lateMs > best.lateMs ? edge : best)).shift;
    return {
      node: share.node,
      family: "network-gap",
      magnitude: share.magnitude,
      evidence: {
        kind: "network-gap",
        source: "spans",
        peers: share.late.map((edge) => window.nodes[edge.from === share.node ? edge.to : edge.from]!),
        beforeMs: loudest.beforeUs / 1000,
        afterMs: loudest.afterUs / 1000,
      },
    };
  });
}
