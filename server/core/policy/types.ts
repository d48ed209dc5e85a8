/** What may happen by itself once a cause is named: nothing, an offer, or the action itself above a confidence. */
export interface CauseRule {
  readonly mode: "off" | "suggest" | "automatic";
  /** 0 to 1. */
  readonly above: number;
}

/** Nothing is done by itself to a service until somebody wants it so. */
export const defaultCauseRule: CauseRule = { mode: "suggest", above: 0.9 };

/** Numbers an operator may change. Defaults are right without editing; see docs/configuration.md. */
export interface Policy {
  /** Automatic failovers per cluster within the window. */
  readonly failoverBudget: number;
  readonly failoverBudgetWindowMs: number;
  /** Silence of a member's agent below this never counts as a fault (blips). */
  readonly minSilenceMs: number;
  readonly maxSilenceMs: number;
  /** Expected false suspicions per node and day: the detector calibrates itself to it. */
  readonly falseAlarmsPerNodeDay: number;
  /** A failing SQL probe counts as evidence after this long. */
  readonly probeFailingMs: number;
  /** A primary that refuses every write for this long, by PostgreSQL's own word, is failed over when enough standbys are sound. */
  readonly unwritableMs: number;
  /** A WAL receiver that advanced within this time vetoes a failover. */
  readonly streamVetoMs: number;
  /** Share of connected nodes falling silent together at which the control plane suspects itself. */
  readonly fleetSilentShare: number;
  readonly onPostgresExit: "failover" | "restart";
  /** New clusters begin with automation held until their preflight has passed once; then this. */
  readonly automationDefault: "on" | "held";
  /** How many synchronous standbys a new cluster promises: it survives the loss of the primary together with one fewer. */
  readonly synchronousStandbys: number;
  readonly switchoverMaxLagBytes: number;
  readonly demoteDeadlineMs: number;
  /** Asynchronous clusters: how long a primary may go on that nobody renews. */
  readonly leaseMs: number;
  /** By the cause that the first suspect names; what is missing is only suggested. */
  readonly causes: Readonly<Record<string, CauseRule>>;
}

export const defaultPolicy: Policy = {
  failoverBudget: 3,
  failoverBudgetWindowMs: 600_000,
  minSilenceMs: 1_200,
  maxSilenceMs: 1_500,
  falseAlarmsPerNodeDay: 0.1,
  probeFailingMs: 1_000,
  unwritableMs: 5_000,
  streamVetoMs: 1_000,
  fleetSilentShare: 0.6,
  onPostgresExit: "failover",
  automationDefault: "on",
  synchronousStandbys: 1,
  switchoverMaxLagBytes: 16 * 1024 * 1024,
  demoteDeadlineMs: 5_000,
  leaseMs: 10_000,
  causes: {},
};
