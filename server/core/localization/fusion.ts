import type { LocalizerConfig } from "./config.ts";
import type { Evidence, Family, Finding } from "./evidence.ts";

/** What kind of fault the evidence speaks for. */
export type FaultClass = "cpu" | "memory" | "disk" | "network" | "latency" | "availability" | "code";

const CLASS_OF: Readonly<Record<Family, FaultClass>> = {
  cpu: "cpu",
  memory: "memory",
  disk: "disk",
  latency: "latency",
  "symptom-latency": "latency",
  errors: "availability",
  "self-time": "code",
  "network-gap": "network",
  structure: "code",
  logs: "code",
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
  const byNode = new Map<number, { finding: Finding; strength: number }[]>();
  for (const finding of findings) {
    const { floor, weight } = config.families[finding.family];
    const strength = weight * Math.log1p(finding.magnitude / floor);
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
  const reported = scored.filter(({ score }) => score >= config.minScore);
  const partition = reported.reduce((total, { score }) => total + Math.exp(score), nodes.length - reported.length);
  return reported.map(({ node, list, score }) => ({
    node: nodes[node]!,
    score,
    class: classify(list),
    confidence: Math.exp(score) / partition,
    evidence: list.map(({ finding }) => finding.evidence),
  }));
}

function classify(list: readonly { finding: Finding; strength: number }[]): FaultClass {
  const votes = new Map<FaultClass, number>();
  for (const { finding, strength } of list) {
    const name = CLASS_OF[finding.family];
    votes.set(name, (votes.get(name) ?? 0) + strength);
  }
  return [...votes].reduce((best, vote) => (vote[1] > best[1] ? vote : best))[0];
}
