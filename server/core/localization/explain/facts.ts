/** What is known of a service beside the window: its kind, its release, what it logs since. */
export interface ServiceFacts {
  readonly name: string;
  readonly kind: "service" | "database" | "cache" | "queue" | "external";
  readonly version: string | null;
  /** When this version was first seen, wall clock; null when it has always been this one. */
  readonly versionSince: number | null;
  /** Whether it reports spans itself (else its figures are its callers'), and its use of processor and memory. */
  readonly tracesItself: boolean;
  readonly measuresItself: boolean;
  readonly logs: readonly LoggedFact[];
}

/** A log template that was not there before the fault, or hardly. */
export interface LoggedFact {
  readonly level: string;
  readonly text: string;
  readonly example: string;
  readonly traceId: string | null;
  readonly count: number;
  readonly firstSeenAt: number;
}

export interface FaultFacts {
  /** The service whose users feel it. */
  readonly entry: string;
  /** Wall clock, milliseconds. */
  readonly faultAt: number;
  readonly now: number;
  readonly services: readonly ServiceFacts[];
}
