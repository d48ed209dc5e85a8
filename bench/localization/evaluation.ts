import type { LocalizerConfig } from "../../server/core/localization/config.ts";
import { FAMILIES, type Family, type Finding } from "../../server/core/localization/evidence.ts";
import { fuse } from "../../server/core/localization/fusion.ts";
import { collectFindings } from "../../server/core/localization/localize.ts";
import type { LabelledCase } from "./cases.ts";
import { type Choice, fitConditionalLogit } from "./conditional-logit.ts";
import { type Accuracy, average, macro, summarize } from "./ranking-metrics.ts";

/** The evidence of one case, collected once so that many weightings can be tried on it. */
export interface CaseFindings {
  readonly labelled: LabelledCase;
  readonly onTime: readonly Finding[];
  readonly oneSampleLate: readonly Finding[];
}

/** Sets whose normal telemetry is borrowed are shown apart and stay out of the headline. */
export function isHeadline(set: string): boolean {
  return !set.endsWith("-temporal");
}

export function collectCaseFindings(cases: readonly LabelledCase[]): CaseFindings[] {
  return cases
    .filter(({ set }) => isHeadline(set))
    .map((labelled) => ({
      labelled,
      onTime: collectFindings(labelled.window(0)),
      oneSampleLate: collectFindings(labelled.window(1)),
    }));
}

/** Macro accuracy of a configuration on collected evidence. */
export function evaluate(items: readonly CaseFindings[], config: LocalizerConfig): Accuracy {
  return macro([...groupBySet(items).values()].map((list) => summarize(list.map((item) => judge(item, config)))));
}

function judge({ labelled, onTime }: CaseFindings, config: LocalizerConfig) {
  return { truth: labelled.truth, ranking: fuse(labelled.nodes, onTime, config) };
}

function groupBySet(items: readonly CaseFindings[]): Map<string, CaseFindings[]> {
  const sets = new Map<string, CaseFindings[]>();
  for (const item of items) sets.set(item.labelled.set, [...(sets.get(item.labelled.set) ?? []), item]);
  return sets;
}

/** The same configuration with other weights, in the order of `FAMILIES`. */
export function withWeights(config: LocalizerConfig, weights: readonly number[]): LocalizerConfig {
  const families = Object.fromEntries(
    FAMILIES.map((family, i) => [family, { ...config.families[family], weight: weights[i]! }]),
  ) as LocalizerConfig["families"];
  return { ...config, families };
}

/** Fits the weights to the cases, on time and one sample late, every set counting the same. */
export function fitWeights(items: readonly CaseFindings[], config: LocalizerConfig): number[] {
  const choices: Choice[] = [];
  for (const list of groupBySet(items).values()) {
    for (const { labelled, onTime, oneSampleLate } of list) {
      for (const findings of [onTime, oneSampleLate])
        choices.push(toChoice(labelled, findings, config, 1 / list.length));
    }
  }
  return fitConditionalLogit(choices, FAMILIES.length);
}

function toChoice(
  { nodes, truth }: LabelledCase,
  findings: readonly Finding[],
  config: LocalizerConfig,
  weight: number,
): Choice {
  const truthIndex = nodes.indexOf(truth);
  const rows = new Map<number, number[]>([[truthIndex, FAMILIES.map(() => 0)]]);
  for (const { node, family, magnitude } of findings) {
    const row = rows.get(node) ?? FAMILIES.map(() => 0);
    rows.set(node, row);
    row[FAMILIES.indexOf(family)] = Math.log1p(magnitude / config.families[family].floor);
  }
  return { rows: [...rows.values()], truth: 0, blank: nodes.length - rows.size, weight };
}

export interface CrossValidation {
  /** Accuracy on cases that the weights were not fitted to, averaged over the repeats. */
  readonly crossValidated: Accuracy;
  readonly fitted: Accuracy;
  readonly shipped: Accuracy;
  readonly weights: Record<string, { fitted: number; shipped: number }>;
}

/** Repeated k-fold cross-validation of the weights. Folds are drawn by a fixed sequence, so the figures repeat. */
export function crossValidate(
  items: readonly CaseFindings[],
  config: LocalizerConfig,
  folds: number,
  repeats: number,
): CrossValidation {
  const rounds: Accuracy[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const foldOf = drawFolds(items.length, folds, repeat + 1);
    const judged = new Map<string, ReturnType<typeof judge>[]>();
    for (let fold = 0; fold < folds; fold++) {
      const fitted = withWeights(
        config,
        fitWeights(
          items.filter((_, i) => foldOf[i] !== fold),
          config,
        ),
      );
      for (const item of items.filter((_, i) => foldOf[i] === fold)) {
        const { set } = item.labelled;
        judged.set(set, [...(judged.get(set) ?? []), judge(item, fitted)]);
      }
    }
    rounds.push(macro([...judged.values()].map(summarize)));
  }
  const weights = fitWeights(items, config);
  return {
    crossValidated: {
      ac1: average(rounds.map(({ ac1 }) => ac1)),
      ac3: average(rounds.map(({ ac3 }) => ac3)),
      avg5: average(rounds.map(({ avg5 }) => avg5)),
    },
    fitted: evaluate(items, withWeights(config, weights)),
    shipped: evaluate(items, config),
    weights: Object.fromEntries(
      FAMILIES.map((family, i) => [family, { fitted: weights[i]!, shipped: config.families[family].weight }]),
    ),
  };
}

/** A shuffled, even deal of `size` items into folds: a linear congruential sequence seeds a Fisher-Yates shuffle. */
function drawFolds(size: number, folds: number, seed: number): number[] {
  const dealt = Array.from({ length: size }, (_, i) => i % folds);
  let state = seed;
  for (let i = size - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = state % (i + 1);
    [dealt[i], dealt[j]] = [dealt[j]!, dealt[i]!];
  }
  return dealt;
}

/** What each kind of evidence contributes: accuracy without it, and with it alone. */
export function ablate(
  items: readonly CaseFindings[],
  config: LocalizerConfig,
): Partial<Record<Family, { without: Accuracy; alone: Accuracy }>> {
  const seen = new Set(items.flatMap(({ onTime }) => onTime.map(({ family }) => family)));
  const keep = (wanted: (family: Family) => boolean): LocalizerConfig =>
    withWeights(
      config,
      FAMILIES.map((family) => (wanted(family) ? config.families[family].weight : 0)),
    );
  return Object.fromEntries(
    FAMILIES.filter((family) => seen.has(family)).map((family) => [
      family,
      {
        without: evaluate(
          items,
          keep((other) => other !== family),
        ),
        alone: evaluate(
          items,
          keep((other) => other === family),
        ),
      },
    ]),
  );
}
