/** The seven states of the screen. */
export type HealthState = "healthy" | "suspect" | "degraded" | "down" | "unknown" | "maintenance" | "fenced";

/** Why something is what it is: a message key and its values. */
export interface Reason {
  readonly code: string;
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
}

export interface Health {
  readonly state: HealthState;
  readonly reasons: readonly Reason[];
}
