import type {
  Actor,
  CauseRule,
  DocumentKind,
  DocumentOf,
  MigrationRequest,
  OperatorRequest,
  RedisFailoverRequest,
  Reply,
  RolloutPlan,
  RolloutRequest,
} from "../core/index.ts";
import type {
  ActionView,
  ClusterView,
  EntityView,
  IncidentView,
  InDoubtView,
  NodeDetail,
  NodeView,
  PlanView,
  ProgramView,
  RedisFailoverPlanView,
  RedisPlanView,
  RedisView,
  RuleView,
  SeriesView,
  SystemView,
} from "../protocol/index.ts";

/**
 * The control plane as screens, API and CLI see it. Reading never waits for the store; `request` answers after the commit,
 * or with `store-unavailable` when there is none.
 */
export interface ControlPlane {
  request(actor: Actor, request: OperatorRequest): Promise<Reply>;
  listEntities(): readonly EntityView[];
  listNodes(): readonly NodeView[];
  findNode(id: string): NodeDetail | null;
  listClusters(): readonly ClusterView[];
  findCluster(id: string): ClusterView | null;
  listRedis(): readonly RedisView[];
  findRedis(id: string): RedisView | null;
  /** What moving slots would do, judged now. Null when there is no Redis Cluster of that name. */
  planRedis(id: string, request: MigrationRequest): RedisPlanView | null;
  /** What a failover by hand would do, judged now. Null when there is no Redis of that name. */
  planRedisFailover(id: string, request: RedisFailoverRequest): RedisFailoverPlanView | null;
  listIncidents(): readonly IncidentView[];
  /** Open documents of a kind, oldest first. */
  listDocuments<K extends DocumentKind>(kind: K): readonly DocumentOf<K>[];
  findDocument<K extends DocumentKind>(kind: K, id: string): DocumentOf<K> | null;
  listInDoubt(): readonly InDoubtView[];
  findAction(id: string): ActionView | null;
  system(): SystemView;
  /** Every cause that can be named, with what happens by itself then. */
  causePolicy(): Readonly<Record<string, CauseRule>>;
  /** Judged now. Null when there is no such cluster. */
  plan(request: {
    readonly kind: PlanView["kind"];
    readonly cluster: string;
    readonly target: string | null;
  }): PlanView | null;
  /** Plain services with releases, as their nodes report them. */
  listPrograms(): readonly ProgramView[];
  planRollout(request: RolloutRequest): RolloutPlan;
  /** The way back to a version, or to the last good one; null: there is none. */
  planRollback(service: string, version: string | null): RolloutPlan | null;
  /** What was decided about one of our prepared transactions; `closed`: look into the store; null: not one of ours. */
  decisionOf(gid: string): "commit" | "abort" | "undecided" | "closed" | null;
  /** Monitoring rules, in the order of their gravity. */
  listRules(): readonly RuleView[];
  /** `null` when there is no such node or cluster. */
  nodeSeries(id: string): SeriesView | null;
  clusterSeries(id: string): SeriesView | null;
  /** Value of a watched topic such as `node:pg-a`; null when there is none. */
  topic(name: string): unknown;
}

/** The ordered stream of changes. */
export interface LiveFeed {
  /** What a viewer that stands at `cursor` needs first: what it missed, or everything. Already serialized. */
  resume(cursor: { readonly feedId: string; readonly seq: number } | null): string;
  /** Every later `changes` frame, serialized once for all viewers. The answer ends the subscription. */
  subscribe(listener: (frame: string, touched: ReadonlySet<string>) => void): () => void;
}
