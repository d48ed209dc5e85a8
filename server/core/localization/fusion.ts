import type { LocalizerConfig } from "./config.ts";
import type { Evidence, Family, Finding } from "./evidence.ts";

/** What kind of fault the evidence speaks for. */
export type FaultClass = "cpu" | "memory" | "disk" | "network" | "latency" | "availability" | "code";

/** A starved node also answers late and behaves oddly: a resource, where one stands out, is asked first. */
const RESOURCES: Readonly<Partial<Record<Family, FaultClass>>> = { cpu: "cpu", memory: "memory", disk: "disk" };

/** Families that show what the code did. */
const BEHAVIOUR: Readonly<Partial<Record<Family, FaultClass>>> = { structure: "code", logs: "code" };

/** Families that show the mechanism of a fault. */
const MECHANISMS: Readonly<Partial<Record<Family, FaultClass>>> = {
  ...RESOURCES,
  ...BEHAVIOUR,
  "network-gap": "network",
};

/** Families that show only what it did to the users: they name the class when no mechanism is seen. */
const SYMPTOMS: Readonly<Partial<Record<Family, FaultClass>>> = {
  latency: "latency",
  "symptom-latency": "latency",
  errors: "availability",
  "self-time": "latency",
};

export interface Suspect {
  readonly node: string;
  readonly score: number;
  readonly class: FaultClass;
  /** Calibrated probability that this node is the cause. */
  readonly confidence: number;
  readonly evidence: readonly Evidence[];
}

/**
 * Ranks nodes by a product of powers of their evidence, `Π (1 + magnitude/floor)^weight`, kept as a sum of logarithms: a
 * ratio to the next suspect counts, not a distance, and no single exploding statistic decides.
 */
export function fuse(nodes: readonly string[], findings: readonly Finding[], config: LocalizerConfig): Suspect[] {
  const byNode = new Map<number, Weighed[]>();
  for (const finding of findings) {
    const { floor, weight } = config.families[finding.family];
    const strength = weight * Math.log1p(Math.min(finding.magnitude, MAX_MAGNITUDE) / floor);
    if (!(strength > 0)) continue;
    const list = byNode.get(finding.node) ?? [];
    list.push({ finding, strength });
    byNode.set(finding.node, list);
  }
  const scored = [...byNode].map(([node, list]) => {
    list.sort((a, b) => b.strength - a.strength);
    return { node, list, score: list.reduce((total, { strength }) => total + strength, 0) };
  });
  scored.sort((a, b) => b.score - a.score || a.node - b.node);
  if (scored.length === 0 || scored[0]!.score < config.minScore) return [];
  const top = scored[0]!.score;
  const blanks = (nodes.length - scored.length) * Math.exp(-top);
  const partition = scored.reduce((total, { score }) => total + Math.exp(score - top), blanks);
  return scored.map(({ node, list, score }) => ({
    node: nodes[node]!,
    score,
    class: classify(list, config),
    confidence: Math.exp(score - top) / partition,
    evidence: list.map(({ finding }) => finding.evidence),
  }));
}

/** No evidence is worth more: a division by almost nothing must not outweigh all the rest. */
const MAX_MAGNITUDE = 1e9;

interface Weighed {
  readonly finding: Finding;
  readonly strength: number;
}

function classify(list: readonly Weighed[], { families }: LocalizerConfig): FaultClass {
  const starves = list.some(
    ({ finding: { family, magnitude } }) => RESOURCES[family] !== undefined && magnitude >= families[family].floor,
  );
  const mechanism = starves ? vote(list, { ...RESOURCES, ...BEHAVIOUR }) : vote(list, MECHANISMS);
  return mechanism ?? vote(list, SYMPTOMS) ?? "latency";
}

/** The class that the strongest evidence speaks for, among the families of `classes`. */
function vote(
  list: readonly Weighed[],
  classes: Readonly<Partial<Record<Family, FaultClass>>>,
): FaultClass | undefined {
  const votes = new Map<FaultClass, number>();
  for (const { finding, strength } of list) {
    const name = classes[finding.family];
    if (name !== undefined) votes.set(name, (votes.get(name) ?? 0) + strength);
  }
  return [...votes].sort((a, b) => b[1] - a[1])[0]?.[0];
}
