import { type Change, type ErrorTest, loudestChange } from "./behaviour-surprise.ts";
import type { CallGraph } from "./graph.ts";
import type { Onset } from "./onset.ts";
import type { RequestKind } from "./transitions.ts";

/** How much the behaviour of a node's own code changed, and the loudest change that says so. */
export interface NodeChange {
  readonly node: number;
  readonly magnitude: number;
  readonly loudest: Change;
  /** Set when the node is suspected from its callers: they changed right after calling it. */
  readonly seenBy?: readonly number[];
}

/** Surprise at which a second caller's testimony is worth half of what it could be. */
const TESTIMONY_FLOOR = 10;

/**
 * Attributes changed behaviour to nodes. A change right after a call may be the callee's doing: it is discounted by what
 * that node's callees show themselves, and when two or more callers change right after calling one node, it moves to it.
 * One caller alone is no proof against its callee.
 */
export function attributeChanges(
  graph: CallGraph,
  kinds: Iterable<RequestKind>,
  { isEarly }: Onset,
  isError: ErrorTest,
): NodeChange[] {
  const totals = new Array<number>(graph.size).fill(0);
  const inherited = Array.from({ length: graph.size }, () => new Map<number, number>());
  const loudest: (Change | undefined)[] = new Array(graph.size).fill(undefined);
  for (const request of kinds) {
    const change = loudestChange(request, isEarly, isError);
    if (!change) continue;
    const { node } = request;
    totals[node]! += change.surprise;
    for (const [peer, part] of change.afterCall) add(inherited[node]!, peer, part);
    if (change.surprise > (loudest[node]?.surprise ?? 0)) loudest[node] = change;
  }
  const own = totals.map((total, node) => {
    const excuse = Math.max(0, ...graph.callees[node]!.map((callee) => totals[callee]!));
    return total - Math.min(excuse, sumOf(inherited[node]!));
  });
  const witnesses = moveToCallees(graph.size, own, inherited, loudest);
  return own.flatMap((magnitude, node): NodeChange[] => {
    const change = loudest[node] ?? witnesses.get(node)?.change;
    return change && magnitude > 0 ? [{ node, magnitude, loudest: change, seenBy: witnesses.get(node)?.callers }] : [];
  });
}

/** Mutates `own`: moves what several callers show after calling one node from them to it. */
function moveToCallees(
  size: number,
  own: number[],
  inherited: readonly ReadonlyMap<number, number>[],
  loudest: readonly (Change | undefined)[],
): Map<number, { callers: number[]; change: Change }> {
  const witnesses = new Map<number, { callers: number[]; change: Change }>();
  const left = [...own];
  for (let callee = 0; callee < size; callee++) {
    const parts = inherited.flatMap((map, caller) => {
      const part = Math.min(map.get(callee) ?? 0, left[caller]!);
      return part > 0 && caller !== callee ? [{ caller, part }] : [];
    });
    parts.sort((a, b) => b.part - a.part);
    const [first, second] = parts;
    if (!first || !second) continue;
    const moved = second.part / (second.part + TESTIMONY_FLOOR);
    for (const { caller, part } of parts) {
      own[caller]! -= moved * part;
      own[callee]! += moved * part;
    }
    witnesses.set(callee, { callers: parts.map(({ caller }) => caller), change: loudest[first.caller]! });
  }
  return witnesses;
}

function add(map: Map<number, number>, key: number, amount: number): void {
  map.set(key, (map.get(key) ?? 0) + amount);
}

function sumOf(map: ReadonlyMap<number, number>): number {
  let total = 0;
  for (const part of map.values()) total += part;
  return total;
}
