import type { TelemetryWindow } from "./telemetry.ts";

/**
 * When the fault may have begun. Detection is often a sample late, so the last sample before the stated time belongs to
 * neither side for certain: it is never used as "before", and each kind of evidence is read twice, with and without it.
 */
export interface Onset {
  /** Samples before this are from before the fault under every hypothesis. */
  readonly quietUntilS: number;
  /** Samples from here on are from after the fault under this hypothesis. */
  readonly startS: number;
  /** Whether the last period before the stated time counts as after. */
  readonly isEarly: boolean;
}

/** The hypotheses: at the stated time, and one sampling period earlier. */
export function onsetHypotheses({ faultTimeS, stepS }: TelemetryWindow): readonly [Onset, Onset] {
  const quietUntilS = faultTimeS - stepS;
  return [
    { quietUntilS, startS: faultTimeS, isEarly: false },
    { quietUntilS, startS: quietUntilS, isEarly: true },
  ];
}
