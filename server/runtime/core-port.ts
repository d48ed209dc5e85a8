import type { CandidateVerdict, Decision, Event, Now, State, Write } from "../core/index.ts";
import type { HealthState, PlanView, Reason } from "../protocol/index.ts";

/** A plan as the core judges it; the command line is added for people. */
export type Plan = Omit<PlanView, "command">;

export interface Health {
  readonly state: HealthState;
  readonly reasons: readonly Reason[];
}

/** The core's functions as the shell calls them; injected, so that tests can put a small core in their place. */
export interface Core {
  /** Judges. Changes `state.live` only. */
  decide(state: State, events: readonly Event[], now: Now): Decision;
  /** Takes over what was committed. */
  applyWrites(state: State, writes: readonly Write[]): void;
}

/** What only screens ask. */
export interface Judgements {
  planAction(
    state: State,
    request: { readonly kind: Plan["kind"]; readonly cluster: string; readonly target: string | null },
    now: Now,
  ): Plan;
  judgeNodeHealth(state: State, nodeId: string, now: Now): Health;
  judgeClusterHealth(state: State, clusterId: string, now: Now): Health;
  explainCandidates(state: State, clusterId: string, now: Now): readonly CandidateVerdict[];
}
