/**
 * Rebalancing a fixed table of slots (Redis Cluster's 16,384) with the fewest moves: of all tables in which every node has what is due to it by
 * weight, one that is nearest to the present. A slot that nobody owns has to be given to somebody; every other one moves only because its node has
 * too many or another too few, so the number of moves is max(too many, too few + unowned) and can't be less.
 */

export type SlotTarget = {
  readonly node: string;
  /** Share of the slots relative to the other nodes; 0: drained. */
  readonly weight: number;
};

export type SlotMove = {
  readonly slot: number;
  /** null: nobody owned it. */
  readonly from: string | null;
  readonly to: string;
};

export type SlotPlan = {
  /** Ascending by slot; runs of neighbouring slots go to the same node where possible. */
  readonly moves: readonly SlotMove[];
  /** How many slots each target has afterwards. */
  readonly counts: ReadonlyMap<string, number>;
};

export type SlotPlanOptions = {
  /** A node may be off its fair number by this part without a move (redis-cli's threshold); 0: rounded fair numbers. */
  readonly tolerance?: number;
};

/** @param current the owner of each slot; owners that are no target are drained */
export function planSlotMoves(
  current: readonly (string | null)[],
  targets: readonly SlotTarget[],
  { tolerance = 0 }: SlotPlanOptions = {},
): SlotPlan {
  const nodes = [...targets].sort((a, b) => (a.node < b.node ? -1 : 1));
  if (nodes.every(({ weight }) => weight <= 0)) {
    throw new RangeError("No node may own slots: give at least one a weight above 0.");
  }
  const held = new Map<string, number[]>(nodes.map(({ node }) => [node, []]));
  const homeless: number[] = [];
  for (const [slot, owner] of current.entries()) (held.get(owner ?? "") ?? homeless).push(slot);
  const counts = chooseCounts(
    current.length,
    nodes.map(({ weight }) => weight),
    nodes.map(({ node }) => held.get(node)!.length),
    tolerance,
  );
  const surplus = nodes.flatMap(({ node }, i) => held.get(node)!.slice(counts[i]!));
  const moving = [...homeless, ...surplus].sort((a, b) => a - b);
  const moves: SlotMove[] = [];
  let at = 0;
  for (const [i, { node }] of nodes.entries()) {
    for (let due = counts[i]! - held.get(node)!.length; due > 0; due--, at++) {
      moves.push({ slot: moving[at]!, from: current[moving[at]!] ?? null, to: node });
    }
  }
  return { moves, counts: new Map(nodes.map(({ node }, i) => [node, counts[i]!])) };
}

/** Numbers within what is due to each node, as near to the present ones as their sum allows. */
function chooseCounts(
  slots: number,
  weights: readonly number[],
  present: readonly number[],
  tolerance: number,
): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const fair = weights.map((weight) => (slots * weight) / total);
  const least = fair.map((due) => Math.floor(due * (1 - tolerance) + 1e-9));
  const most = fair.map((due) => Math.max(0, Math.ceil(due * (1 + tolerance) - 1e-9)));
  const counts = present.map((count, i) => Math.min(most[i]!, Math.max(least[i]!, count)));
  const left = (node: number) => fair[node]! - counts[node]!;
  for (let missing = slots - sumOf(counts); missing !== 0; missing -= Math.sign(missing)) {
    const step = Math.sign(missing);
    let best = -1;
    for (let i = 0; i < counts.length; i++) {
      const free = step > 0 ? counts[i]! < most[i]! : counts[i]! > least[i]!;
      if (free && (best < 0 || step * left(i) > step * left(best))) best = i;
    }
    counts[best]! += step;
  }
  return counts;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
