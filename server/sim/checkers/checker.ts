import type { Simulation } from "../simulation.ts";
import type { TraceEvent } from "../trace.ts";

/** A breach of an invariant: where the run stops being excusable. */
export interface Violation {
  readonly checker: string;
  readonly atMs: number;
  readonly text: string;
}

/** One invariant. It sees every fact of the world, remembers what it needs, and says at once when it is broken. */
export interface Checker {
  readonly name: string;
  observe(event: TraceEvent, nowMs: number): void;
  /** Called every 100 ms of virtual time. */
  sample?(nowMs: number): void;
  /** Called once, after the last fault was healed and time enough has passed. */
  finish?(nowMs: number): void;
}

export type Violate = (text: string) => void;
export type CreateChecker = (sim: Simulation, violate: Violate) => Omit<Checker, "name">;
