/**
 * The score: per trace class the mean over its traces of mistakes per 10,000 beats at a mean T_D, then the geometric mean over
 * the classes of (mistakes + 0.1), so that a class without mistakes counts and one bad class can't hide the others.
 */

export const TARGETS = [2, 3, 4] as const;
/** Added to each class before the geometric mean. */
const OFFSET = 0.1;

export type TraceScore = {
  traceClass: string /** Mistakes per 10,000 beats at each of `TARGETS`. */;
  mistakes: number[];
};

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(mean(values.map(Math.log)));
}

export function groupByClass<T extends { traceClass: string }>(items: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(item.traceClass);
    if (group) group.push(item);
    else groups.set(item.traceClass, [item]);
  }
  return groups;
}

/** Mean over the traces of each class, at each target. */
export function byClass(scores: readonly TraceScore[]): Map<string, number[]> {
  const result = new Map<string, number[]>();
  for (const [traceClass, group] of groupByClass(scores)) {
    result.set(
      traceClass,
      TARGETS.map((_, t) => mean(group.map((score) => score.mistakes[t]!))),
    );
  }
  return result;
}

/** Geometric mean over the classes of (mistakes + 0.1), at each target. */
export function overall(classes: ReadonlyMap<string, readonly number[]>): number[] {
  return TARGETS.map((_, t) => geometricMean([...classes.values()].map((mistakes) => mistakes[t]! + OFFSET)));
}

export type WorstClass = { ratio: number; traceClass: string; target: number };

/** The class in which `ours` is worst against `theirs`, over all targets, as a ratio of (mistakes + 0.1). */
export function worstClass(
  ours: ReadonlyMap<string, readonly number[]>,
  theirs: (target: number) => ReadonlyMap<string, readonly number[]>,
): WorstClass {
  let worst: WorstClass = { ratio: 0, traceClass: "", target: 0 };
  for (const [traceClass, mistakes] of ours) {
    TARGETS.forEach((target, t) => {
      const ratio = (mistakes[t]! + OFFSET) / (theirs(t).get(traceClass)![t]! + OFFSET);
      if (ratio > worst.ratio) worst = { ratio, traceClass, target };
    });
  }
  return worst;
}
