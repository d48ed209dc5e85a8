import {
  type Actor,
  type CauseRule,
  type DocumentKind,
  type DocumentOf,
  defaultCauseRule,
  documentKey,
  listInDoubt,
  type MigrationRequest,
  type Now,
  type OperatorRequest,
  policyCauses,
  type RedisFailoverRequest,
  type Reply,
  type RolloutPlan,
  type RolloutRequest,
  type State,
} from "../core/index.ts";
import type { Clock } from "../ports/clock.ts";
import type { ControlPlane } from "../ports/control.ts";
import type {
  ActionView,
  ClusterView,
  DocumentView,
  EntityView,
  HealthState,
  IncidentView,
  InDoubtView,
  NodeDetail,
  NodeView,
  PlanView,
  ProgramView,
  RedisFailoverPlanView,
  RedisPlanView,
  RedisView,
  RefusedParts,
  RuleView,
  SeriesView,
  SystemView,
} from "../protocol/index.ts";
import { projectActionView, projectIncidentView } from "../protocol/project-record.ts";
import type { Judgements, PlanRequest } from "./core-port.ts";
import { projectCluster } from "./project/cluster-view.ts";
import type { ProjectionContext, ProjectionMemory } from "./project/context.ts";
import { projectNode, projectNodeDetail } from "./project/node-view.ts";
import { projectPlan } from "./project/plan-view.ts";
import { projectPrograms } from "./project/program-view.ts";
import { describeFailover, describeMigration, projectRedis } from "./project/redis-view.ts";
import { projectRules } from "./project/rule-view.ts";
import type { RecentSeries } from "./series.ts";

export interface ControlPlaneParts {
  readonly state: State;
  readonly clock: Clock;
  readonly judgements: Judgements;
  readonly memory: ProjectionMemory;
  readonly series: RecentSeries;
  readonly version: string;
  readonly startedAt: number;
  readonly demoFaults: readonly string[] | null;
  request(actor: Actor, request: OperatorRequest): Promise<Reply>;
  storeAvailable(): boolean;
  mailboxDepth(): number;
  agentsConnected(): number;
  viewersConnected(): number;
  /** What the gateway left out of this node's frames. */
  refusedOf(node: string): RefusedParts | null;
}

/** State as views, and the way in for operators' requests. */
export class ControlPlaneViews implements ControlPlane {
  readonly #parts: ControlPlaneParts;

  constructor(parts: ControlPlaneParts) {
    this.#parts = parts;
  }

  request(actor: Actor, request: OperatorRequest): Promise<Reply> {
    return this.#parts.request(actor, request);
  }

  /** The view behind a key of `Decision.touched`; null when there is nothing (any more). */
  view(key: string): EntityView | null {
    if (key === "system") return this.system();
    const colon = key.indexOf(":");
    const id = key.slice(colon + 1);
    switch (key.slice(0, colon)) {
      case "node":
        return projectNode(this.#context(), id);
      case "cluster":
        return this.findCluster(id);
      case "incident":
        return this.#findIncident(id);
      case "action":
        return this.findAction(id);
      case "redis":
        return this.findRedis(id);
      case "document":
        return this.#findDocument(id);
      default:
        return null;
    }
  }

  listEntities(): EntityView[] {
    const actions = [...this.#parts.state.durable.actions.keys()].map((id) => this.findAction(id));
    return [
      this.system(),
      ...this.listNodes(),
      ...this.listClusters(),
      ...this.listRedis(),
      ...this.listIncidents(),
      ...actions.filter((view) => view !== null),
      ...[...this.#parts.state.durable.documents.keys()]
        .map((key) => this.#findDocument(key))
        .filter((view) => view !== null),
    ];
  }

  listNodes(): NodeView[] {
    const context = this.#context();
    return [...context.state.durable.nodes.keys()]
      .map((id) => projectNode(context, id))
      .filter((view) => view !== null);
  }

  findNode(id: string): NodeDetail | null {
    return projectNodeDetail(this.#context(), id, this.#parts.refusedOf(id));
  }

  listClusters(): ClusterView[] {
    const context = this.#context();
    return [...context.state.durable.clusters.keys()]
      .map((id) => projectCluster(context, id))
      .filter((view) => view !== null);
  }

  findCluster(id: string): ClusterView | null {
    return projectCluster(this.#context(), id);
  }

  listIncidents(): IncidentView[] {
    return [...this.#parts.state.durable.incidents.values()].map(projectIncidentView);
  }

  listRedis(): RedisView[] {
    const context = this.#context();
    const ids = [...context.state.durable.documents.values()].flatMap((each) =>
      each.kind === "redis" ? [each.id] : [],
    );
    return ids.map((id) => projectRedis(context, id)).filter((view) => view !== null);
  }

  findRedis(id: string): RedisView | null {
    return projectRedis(this.#context(), id);
  }

  planRedis(id: string, request: MigrationRequest): RedisPlanView | null {
    const record = this.#parts.state.durable.documents.get(`redis:${id}`);
    if (record?.kind !== "redis" || record.mode !== "cluster") return null;
    const plan = this.#parts.judgements.planMigration(this.#parts.state, record, request, this.#now());
    return { ...plan, command: describeMigration(id, request) };
  }

  planRedisFailover(id: string, request: RedisFailoverRequest): RedisFailoverPlanView | null {
    const record = this.#parts.state.durable.documents.get(`redis:${id}`);
    if (record?.kind !== "redis") return null;
    const plan = this.#parts.judgements.planRedisFailover(this.#parts.state, record, request, this.#now());
    return { ...plan, command: describeFailover(id, record.mode, request) };
  }

  listInDoubt(): InDoubtView[] {
    const wallMs = this.#parts.clock.wallMs();
    return listInDoubt(this.#parts.state).map(({ transaction, ...place }) => ({
      ...transaction,
      ...place,
      preparedAt: Math.round(wallMs - transaction.ageMs),
      decided: null,
    }));
  }

  findAction(id: string): ActionView | null {
    const { durable } = this.#parts.state;
    const action = durable.actions.get(id);
    if (action === undefined) return null;
    return projectActionView(action, durable.incidents.get(action.incidentId ?? "") ?? null);
  }

  system(): SystemView {
    const { state, clock } = this.#parts;
    const { self } = state.live;
    return {
      entity: "system",
      version: this.#parts.version,
      startedAt: this.#parts.startedAt,
      wallMs: clock.wallMs(),
      storeAvailable: this.#parts.storeAvailable(),
      frozen: self.frozen,
      loopLagMs: Math.round(self.loopLagMs * 10) / 10,
      mailboxDepth: this.#parts.mailboxDepth(),
      agentsConnected: this.#parts.agentsConnected(),
      viewersConnected: this.#parts.viewersConnected(),
      nodes: this.#countStates(),
      demo: this.#parts.demoFaults === null ? null : { faults: this.#parts.demoFaults },
    };
  }

  causePolicy(): Record<string, CauseRule> {
    const { causes } = this.#parts.state.durable.policy;
    return Object.fromEntries(policyCauses.map((cause) => [cause, causes[cause] ?? defaultCauseRule]));
  }

  plan(request: PlanRequest): PlanView | null {
    const { state, judgements } = this.#parts;
    if (!state.durable.clusters.has(request.cluster)) return null;
    return projectPlan(judgements.planAction(state, request, this.#now()));
  }

  listPrograms(): ProgramView[] {
    return projectPrograms(this.#parts.state);
  }

  planRollout(request: RolloutRequest): RolloutPlan {
    return this.#parts.judgements.planRollout(this.#parts.state, request);
  }

  planRollback(service: string, version: string | null): RolloutPlan | null {
    const { state, judgements } = this.#parts;
    const found = judgements.planRollback(state, service, version);
    return found === null ? null : judgements.planRollout(state, found.request);
  }

  decisionOf(gid: string): "commit" | "abort" | "undecided" | "closed" | null {
    return this.#parts.judgements.decisionOfGid(this.#parts.state, gid);
  }

  listRules(): RuleView[] {
    return projectRules(this.#parts.state);
  }

  nodeSeries(id: string): SeriesView | null {
    return this.#parts.state.durable.nodes.has(id) ? this.#parts.series.read(`node:${id}`) : null;
  }

  clusterSeries(id: string): SeriesView | null {
    return this.#parts.state.durable.clusters.has(id) ? this.#parts.series.read(`cluster:${id}`) : null;
  }

  topic(name: string): unknown {
    return name.startsWith("node:") ? this.findNode(name.slice("node:".length)) : null;
  }

  #findIncident(id: string): IncidentView | null {
    const incident = this.#parts.state.durable.incidents.get(id);
    return incident === undefined ? null : projectIncidentView(incident);
  }

  listDocuments<K extends DocumentKind>(kind: K): readonly DocumentOf<K>[] {
    const open = [...this.#parts.state.durable.documents.values()].filter((document) => document.kind === kind);
    return (open as unknown as DocumentOf<K>[]).sort((a, b) => a.openedAt - b.openedAt);
  }

  findDocument<K extends DocumentKind>(kind: K, id: string): DocumentOf<K> | null {
    const found = this.#parts.state.durable.documents.get(documentKey(kind, id)) ?? null;
    return found as unknown as DocumentOf<K> | null;
  }

  #findDocument(key: string): DocumentView | null {
    const document = this.#parts.state.durable.documents.get(key);
    return document === undefined ? null : { entity: "document", id: key, document };
  }

  #countStates(): Record<HealthState, number> {
    const counts: Record<HealthState, number> = {
      healthy: 0,
      suspect: 0,
      degraded: 0,
      down: 0,
      unknown: 0,
      maintenance: 0,
      fenced: 0,
    };
    const { state, judgements, memory } = this.#parts;
    const now = this.#now();
    for (const id of state.durable.nodes.keys()) {
      // A node whose state changes is touched, and so projected: what was last shown is what is.
      const shown = memory.lastState(`node:${id}`) ?? judgements.judgeNodeHealth(state, id, now).state;
      counts[shown] += 1;
    }
    return counts;
  }

  #context(): ProjectionContext {
    const { state, judgements, memory } = this.#parts;
    return { state, judgements, memory, now: this.#now() };
  }

  #now(): Now {
    const { clock } = this.#parts;
    return { monoMs: clock.monoMs(), wallMs: clock.wallMs(), entropy: "" };
  }
}
