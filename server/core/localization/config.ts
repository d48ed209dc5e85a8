import type { Family } from "./evidence.ts";

/** How much one kind of evidence counts. */
export interface FamilyWeight {
  /** Magnitude, in the family's own unit, below which it says little: the scale of the logarithm. */
  readonly floor: number;
  /** Exponent of the evidence in the product that ranks the nodes; 0 leaves the family out. */
  readonly weight: number;
}

export interface LocalizerConfig {
  readonly families: Readonly<Record<Family, FamilyWeight>>;
  /** A suspect with a lower score is not reported. */
  readonly minScore: number;
}

/** The one configuration, online and offline. Chosen by cross-validation: see docs/decisions/localization.md. */
export const DEFAULT_CONFIG: LocalizerConfig = {
  families: {
    cpu: { floor: 0.5, weight: 1 },
    memory: { floor: 0.5, weight: 0.2 },
    disk: { floor: 0.5, weight: 0.2 },
    latency: { floor: 0.02, weight: 1 },
    "symptom-latency": { floor: 0.02, weight: 0.6 },
    errors: { floor: 0.001, weight: 1 },
    "self-time": { floor: 0.01, weight: 0.5 },
    "network-gap": { floor: 2, weight: 1 },
    structure: { floor: 20, weight: 1 },
    logs: { floor: 20, weight: 1 },
  },
  minScore: 0.05,
};
