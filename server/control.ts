import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Config } from "./config.ts";
import {
  applyWrites,
  createState,
  decide,
  decisionOfGid,
  defaultPolicy,
  explainCandidates,
  isIncidentMuted,
  judgeClusterHealth,
  judgeNodeHealth,
  planAction,
  planMigration,
  planRedisFailover,
  planRollback,
  planRollout,
  type State,
} from "./core/index.ts";
import { createDemoServices } from "./demo-services.ts";
import { LocalHooks } from "./fencing-hooks.ts";
import { AgentHub } from "./gateway/agent-hub.ts";
import { createServerIdentity } from "./gateway/server-identity.ts";
import { ViewerHub } from "./gateway/viewer-hub.ts";
import { Webhooks } from "./notify/webhooks.ts";
import type { Log } from "./observe/log.ts";
import { createMetrics } from "./observe/metrics.ts";
import type { ViewerGuard } from "./ports/access.ts";
import type { AgentIntake, AgentLink } from "./ports/agent-link.ts";
import type { IncidentView } from "./protocol/index.ts";
import { systemClock as clock } from "./runtime/clock.ts";
import { ControlPlaneViews } from "./runtime/control-plane.ts";
import { Feed } from "./runtime/feed.ts";
import { startHousekeeping } from "./runtime/housekeeping.ts";
import { createIntake } from "./runtime/intake.ts";
import { startLearningProfiles } from "./runtime/learn-profiles.ts";
import { ControlLoop } from "./runtime/loop.ts";
import { ProjectionMemory } from "./runtime/project/context.ts";
import { Publisher } from "./runtime/publisher.ts";
import { listRestless } from "./runtime/restless.ts";
import { startSampler } from "./runtime/sampler.ts";
import { RecentSeries } from "./runtime/series.ts";
import { ServiceWatch } from "./runtime/service-watch/service-watch.ts";
import type { ClusterMember } from "./runtime/telemetry/connection-records.ts";
import { LiveTelemetry } from "./runtime/telemetry/telemetry-store.ts";
import type { Stores } from "./store/index.ts";

export interface ControlParts {
  readonly config: Config;
  readonly stores: Stores;
  readonly version: string;
  readonly log: Log;
  onConflict(): void;
}

const systemMs = 1_000;
const restlessMs = 250;

export interface Gateways {
  readonly agents: AgentHub;
  readonly viewers: ViewerHub;
  close(): void;
}

/** Loop, views, feed and gateways, joined. Views can be read at once; agents come in after `start`. */
export class Control {
  readonly views: ControlPlaneViews;
  readonly feed: Feed;
  /** What services did in the last half hour. */
  readonly telemetry = new LiveTelemetry(
    clock,
    () => this.#listDeclared(),
    () => this.#listMembers(),
  );
  readonly #parts: ControlParts;
  readonly #state: State;
  readonly #memory = new ProjectionMemory();
  readonly #series = new RecentSeries();
  readonly #loop: ControlLoop;
  readonly #publisher: Publisher;
  readonly #webhooks: Webhooks;
  readonly #watch: ServiceWatch;
  readonly #metrics: ReturnType<typeof createMetrics>;
  readonly #stops: (() => void)[] = [];
  #agents: AgentHub | null = null;
  #viewers: ViewerHub | null = null;

  constructor(parts: ControlParts) {
    const { config } = parts;
    this.#parts = parts;
    this.#state = createState({ ...defaultPolicy, ...config.policy });
    this.feed = new Feed(randomUUID(), () => this.views.listEntities());
    this.#publisher = new Publisher({
      clock,
      view: (key) => this.views.view(key),
      publish: (change) => this.feed.publish(change),
      nodeCount: () => this.#state.durable.nodes.size,
    });
    this.#webhooks = new Webhooks({ targets: config.webhooks, clock, publicUrl: config.publicUrl, log: this.#warn });
    this.#loop = this.#createLoop();
    this.#watch = this.#createWatch();
    this.views = this.#createViews();
    this.#metrics = this.#createMetrics();
  }

  get isReady(): boolean {
    return this.#loop.isReady;
  }

  readMetrics() {
    return this.#metrics.read();
  }

  /** The database is there: take the lead and let agents and browsers in. */
  async start(guard: ViewerGuard, isAllowedOrigin: (origin: string) => boolean): Promise<Gateways> {
    const { directory, store } = this.#parts.stores;
    const identity = createServerIdentity(await directory.serverKey());
    await this.#loop.start();
    this.#startTimers();
    this.#watch.start();
    const intake = this.#createIntake();
    const agents = new AgentHub({
      identity,
      directory,
      store,
      intake,
      clock,
      telemetry: this.telemetry,
      log: this.#warn,
    });
    const viewers = new ViewerHub({ clock, feed: this.feed, control: this.views, guard, isAllowedOrigin });
    this.#agents = agents;
    this.#viewers = viewers;
    return {
      agents,
      viewers,
      close() {
        viewers.close();
        agents.close();
      },
    };
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#watch.stop();
    this.#webhooks.stop();
    this.#publisher.stop();
    await this.#loop.stop();
  }

  readonly #warn = (message: string, detail: Readonly<Record<string, unknown>>): void => {
    this.#parts.log("warn", message, detail);
  };

  #createLoop(): ControlLoop {
    const { config, stores, log, onConflict } = this.#parts;
    const hooks = new LocalHooks(config.fencing, (event) => void this.#loop.post(event));
    this.#state.live.self.fences = config.fencing.map((hook) => hook.node);
    return new ControlLoop({
      state: this.#state,
      core: { decide, applyWrites },
      store: stores.store,
      clock,
      link: hooks.beside(lateLink(() => this.#agents)),
      owner: `${hostname()}/${process.pid}/${randomUUID()}`,
      policyOverrides: config.policy,
      publish: ({ touched, durable, timeline, originWallMs, urgent }) => {
        this.#publisher.mark(touched, durable, timeline, originWallMs, urgent);
        if (durable) {
          this.#notify();
          this.#watch.noteCommit(touched);
        }
      },
      onConflict(detail) {
        log("error", "Another control plane has taken the lead on this database; stepping down.", { detail });
        onConflict();
      },
      log,
      observe: (figures) => this.#metrics.observe(figures),
    });
  }

  #createWatch(): ServiceWatch {
    const { demo } = this.#parts.config;
    return new ServiceWatch({
      state: this.#state,
      clock,
      telemetry: this.telemetry,
      supervisor: demo === null ? null : createDemoServices(demo),
      post: (event) => this.#loop.post(event),
      log: this.#warn,
    });
  }

  #createViews(): ControlPlaneViews {
    const loop = this.#loop;
    return new ControlPlaneViews({
      state: this.#state,
      clock,
      judgements: {
        planAction,
        planRollout,
        planRollback,
        decisionOfGid,
        planMigration,
        planRedisFailover,
        judgeNodeHealth,
        judgeClusterHealth,
        explainCandidates: (state, cluster, now) => explainCandidates(state, cluster, now, null),
      },
      memory: this.#memory,
      series: this.#series,
      version: this.#parts.version,
      startedAt: clock.wallMs(),
      demoFaults: this.#parts.config.demo?.faults ?? null,
      request: (actor, request) => loop.request(actor, request),
      storeAvailable: () => loop.storeAvailable,
      mailboxDepth: () => loop.mailboxDepth,
      agentsConnected: () => this.#agents?.connected ?? 0,
      viewersConnected: () => this.#viewers?.connected ?? 0,
      refusedOf: (node) => this.#agents?.refusedOf(node) ?? null,
    });
  }

  #createMetrics() {
    const { views, feed } = this;
    const isOpen = ({ phase }: IncidentView): boolean => phase !== "resolved" && phase !== "closed";
    return createMetrics({
      agentsConnected: () => this.#agents?.connected ?? 0,
      viewersConnected: () => this.#viewers?.connected ?? 0,
      mailboxDepth: () => this.#loop.mailboxDepth,
      mailboxDropped: () => this.#loop.dropped,
      badFrames: () => this.#agents?.badFrames ?? 0,
      refusedParts: () => this.#agents?.refusedCounts() ?? [],
      loopLagMs: () => this.#state.live.self.loopLagMs,
      storeAvailable: () => this.#loop.storeAvailable,
      openIncidents: () => views.listIncidents().filter(isOpen).length,
      nodesByState: () => views.system().nodes,
      feedSeq: () => feed.seq,
    });
  }

  #createIntake(): AgentIntake {
    return createIntake({
      state: this.#state,
      clock,
      isReady: () => this.#loop.isReady,
      enrol: (node) => this.#loop.enrol(node),
      post: (event) => {
        if (event.kind === "heartbeat-received" && !event.eager) {
          this.#memory.recordBeat(event.node, event.arrivalMs);
        }
        return this.#loop.post(event);
      },
    });
  }

  #startTimers(): void {
    const mark = (keys: ReadonlySet<string>): void => this.#publisher.mark(keys, false, [], clock.wallMs());
    this.#stops.push(
      every(restlessMs, () => mark(listRestless(this.#state, clock.monoMs()))),
      every(systemMs, () => mark(new Set(["system"]))),
      startSampler({
        clock,
        series: this.#series,
        samples: this.#parts.stores.samples,
        listNodes: () => this.#state.live.nodes.values(),
        listServices: () => this.#state.live.services.values(),
        listClusters: () => this.views.listClusters(),
        canPersist: () => this.#loop.storeAvailable,
        log: this.#warn,
      }),
      startLearningProfiles({
        clock,
        samples: this.#parts.stores.samples,
        listNodes: () => this.#state.durable.nodes.keys(),
        canRead: () => this.#loop.storeAvailable,
        post: (event) => this.#loop.post(event),
        log: this.#warn,
      }),
      startHousekeeping({
        clock,
        samples: this.#parts.stores.samples,
        traces: this.#parts.stores.traces,
        canPersist: () => this.#loop.storeAvailable,
        log: this.#warn,
      }),
    );
  }

  #listDeclared() {
    const documents = [...this.#state.durable.documents.values()];
    return documents.filter((document) => document.kind === "declared-dependency");
  }

  /** Where members of clusters say that they are reached: connections lead there. */
  #listMembers(): ClusterMember[] {
    const { clusters, documents } = this.#state.durable;
    const databases = [...clusters.values()].flatMap(({ id, members }) =>
      Object.values(members).map((member) => ({ ...member, node: member.id, cluster: id, kind: "database" as const })),
    );
    const caches = [...documents.values()].flatMap((document) =>
      document.kind !== "redis"
        ? []
        : Object.values(document.members).map((member) => ({
            ...member,
            cluster: document.id,
            kind: "cache" as const,
          })),
    );
    return [...databases, ...caches];
  }

  /** Of every incident: what changed may be the end of a mute. */
  #notify(): void {
    const nowMs = clock.wallMs();
    for (const incident of this.views.listIncidents()) {
      this.#webhooks.consider(incident, isIncidentMuted(this.#state, incident, nowMs));
    }
  }
}

/** The hub is made after the loop that uses it. */
function lateLink(find: () => AgentHub | null): AgentLink {
  return {
    send: (command) => find()?.send(command) ?? false,
    acknowledge: (node, commandId) => find()?.acknowledge(node, commandId),
    drop: (node, code) => find()?.drop(node, code),
    renewLease: (renewal) => find()?.renewLease(renewal),
    refreshPeers: () => find()?.refreshPeers(),
  };
}

function every(intervalMs: number, run: () => void): () => void {
  const timer = setInterval(run, intervalMs);
  return () => clearInterval(timer);
}
