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
  /** When even the first suspect scores less, the evidence is not enough and nothing is reported. */
  readonly minScore: number;
}

/**
 * The one configuration, online and offline. Floors are what normal operation shows, rounded up; weights were fitted by
 * conditional logit and rounded. docs/decisions/localization.md has the figures.
 */
export const DEFAULT_CONFIG: LocalizerConfig = {
  families: {
    /** Excess use in multiples of what a typical node uses at its peak. */
    cpu: { floor: 1, weight: 1 },
    memory: { floor: 0.25, weight: 1 },
    disk: { floor: 0.25, weight: 1 },
    /** Share of all the time users wait. */
    latency: { floor: 0.04, weight: 2 },
    "symptom-latency": { floor: 0.04, weight: 0.5 },
    /** Share of all the requests. */
    errors: { floor: 0.001, weight: 2 },
    /** Share of all the time users wait. */
    "self-time": { floor: 0.01, weight: 0.5 },
    /** Milliseconds per call. */
    "network-gap": { floor: 3, weight: 1.5 },
    /** Log-likelihood ratio. */
    structure: { floor: 5, weight: 1.5 },
    logs: { floor: 5, weight: 2.5 },
  },
  minScore: 1.3,
};
