import type {
  CandidateVerdict,
  ClusterRecord,
  Decision,
  Event,
  Health,
  MigrationPlan,
  MigrationRequest,
  Now,
  Plan,
  RedisDocument,
  RedisFailoverPlan,
  RedisFailoverRequest,
  RolloutPlan,
  RolloutRequest,
  State,
  Write,
} from "../core/index.ts";

/** The core's functions as the loop calls them; injected, so that a test can put a small core in their place. */
export interface Core {
  /** Judges. Changes `state.live` only. */
  decide(state: State, events: readonly Event[], now: Now): Decision;
  /** Takes over what was committed. */
  applyWrites(state: State, writes: readonly Write[]): void;
}

export interface PlanRequest {
  readonly kind: Plan["kind"];
  readonly cluster: string;
  readonly target: string | null;
}

/** What only screens, API and CLI ask. */
export interface Judgements {
  planRollout(state: State, request: RolloutRequest): RolloutPlan;
  planRollback(
    state: State,
    service: string,
    version: string | null,
  ): { readonly request: RolloutRequest; readonly of: string | null } | null;
  decisionOfGid(state: State, gid: string): "commit" | "abort" | "undecided" | "closed" | null;

  planAction(state: State, request: PlanRequest, now: Now): Plan;
  judgeNodeHealth(state: State, nodeId: string, now: Now): Health;
  judgeClusterHealth(state: State, clusterId: string, now: Now): Health;
  planMigration(state: State, record: RedisDocument, request: MigrationRequest, now: Now): MigrationPlan;
  planRedisFailover(state: State, record: RedisDocument, request: RedisFailoverRequest, now: Now): RedisFailoverPlan;
  explainCandidates(state: State, cluster: ClusterRecord, now: Now): readonly CandidateVerdict[];
}
