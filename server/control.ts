import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Config } from "./config.ts";
import {
  applyWrites,
  createState,
  decide,
  defaultPolicy,
  type Event,
  explainCandidates,
  judgeClusterHealth,
  judgeNodeHealth,
  planAction,
} from "./core/index.ts";
import { AgentHub } from "./gateway/agent-hub.ts";
import { createServerIdentity } from "./gateway/server-identity.ts";
import { ViewerHub } from "./gateway/viewer-hub.ts";
import { Webhooks } from "./notify/webhooks.ts";
import type { Log } from "./observe/log.ts";
import { createMetrics } from "./observe/metrics.ts";
import type { ViewerGuard } from "./ports/access.ts";
import type { AgentIntake, AgentLink } from "./ports/agent-link.ts";
import { systemClock } from "./runtime/clock.ts";
import { ControlPlaneViews } from "./runtime/control-plane.ts";
import { Feed } from "./runtime/feed.ts";
import { createIntake } from "./runtime/intake.ts";
import { ControlLoop } from "./runtime/loop.ts";
import { ProjectionMemory } from "./runtime/project/context.ts";
import { Publisher } from "./runtime/publisher.ts";
import { listRestless } from "./runtime/restless.ts";
import { startSampler } from "./runtime/sampler.ts";
import { RecentSeries } from "./runtime/series.ts";
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

/** Loop, views, feed and gateways, joined. Views can be read at once; agents come in after `start`. */
export async function createControl({ config, stores, version, log, onConflict }: ControlParts) {
  const clock = systemClock;
  const state = createState({ ...defaultPolicy, ...config.policy });
  const memory = new ProjectionMemory();
  const series = new RecentSeries();
  let agents: AgentHub | null = null;
  let viewers: ViewerHub | null = null;
  const link = lateLink(() => agents);
  const feed: Feed = new Feed(randomUUID(), () => views.listEntities());
  const publisher = new Publisher({
    clock,
    view: (key) => views.view(key),
    publish: (change) => feed.publish(change),
    nodeCount: () => state.durable.nodes.size,
  });
  const loop = new ControlLoop({
    state,
    core: { decide, applyWrites },
    store: stores.store,
    clock,
    link,
    owner: `${hostname()}/${process.pid}/${randomUUID()}`,
    policyOverrides: config.policy,
    publish({ touched, durable, timeline, originWallMs }) {
      publisher.mark(touched, durable, timeline, originWallMs);
      if (durable) notify(touched);
    },
    onConflict(detail) {
      log("error", "Another control plane has taken the lead on this database; stepping down.", { detail });
      onConflict();
    },
    log,
    observe: (figures) => metrics.observe(figures),
  });
  const views: ControlPlaneViews = new ControlPlaneViews({
    state,
    clock,
    judgements: {
      planAction,
      judgeNodeHealth,
      judgeClusterHealth,
      explainCandidates: (current, cluster, now) => explainCandidates(current, cluster, now, null),
    },
    memory,
    series,
    version,
    startedAt: clock.wallMs(),
    demoFaults: config.demo?.faults ?? null,
    request: (actor, request) => loop.request(actor, request),
    storeAvailable: () => loop.storeAvailable,
    mailboxDepth: () => loop.mailboxDepth,
    agentsConnected: () => agents?.connected ?? 0,
    viewersConnected: () => viewers?.connected ?? 0,
  });
  const webhooks = new Webhooks({
    targets: config.webhooks,
    clock,
    publicUrl: config.publicUrl,
    log: (message, detail) => log("warn", message, detail),
  });
  function notify(touched: ReadonlySet<string>): void {
    for (const incident of views.listIncidents()) {
      if (!touched.has(`incident:${incident.id}`)) continue;
      const maintenance = state.durable.clusters.get(incident.cluster ?? "")?.maintenance ?? null;
      webhooks.consider(incident, maintenance?.muteAlerts ?? false);
    }
  }
  const metrics = createMetrics({
    agentsConnected: () => agents?.connected ?? 0,
    viewersConnected: () => viewers?.connected ?? 0,
    mailboxDepth: () => loop.mailboxDepth,
    mailboxDropped: () => loop.dropped,
    badFrames: () => agents?.badFrames ?? 0,
    loopLagMs: () => state.live.self.loopLagMs,
    storeAvailable: () => loop.storeAvailable,
    openIncidents: () => views.listIncidents().filter(({ phase }) => phase !== "resolved" && phase !== "closed").length,
    nodesByState: () => views.system().nodes,
    feedSeq: () => feed.seq,
  });
  const intake: AgentIntake = createIntake({
    state,
    clock,
    isReady: () => loop.isReady,
    enrol: (node) => loop.enrol(node),
    post(event: Event) {
      if (event.kind === "heartbeat-received" && !event.eager) memory.recordBeat(event.node, event.arrivalMs);
      return loop.post(event);
    },
  });
  const stopSampler = startSampler({
    clock,
    series,
    samples: stores.samples,
    listNodes: () => state.live.nodes.values(),
    listClusters: () => views.listClusters(),
    canPersist: () => loop.storeAvailable,
    log: (message, detail) => log("warn", message, detail),
  });
  const cancelRestless = every(restlessMs, () =>
    publisher.mark(listRestless(state, clock.monoMs()), false, [], clock.wallMs()),
  );
  const cancelSystem = every(systemMs, () => publisher.mark(new Set(["system"]), false, [], clock.wallMs()));

  return {
    views,
    feed,
    isReady: () => loop.isReady,
    metrics: () => metrics.read(),
    async start(guard: ViewerGuard, isAllowedOrigin: (origin: string) => boolean) {
      const identity = createServerIdentity(await stores.directory.serverKey());
      await loop.start();
      const opened = {
        agents: new AgentHub({
          identity,
          directory: stores.directory,
          store: stores.store,
          intake,
          clock,
          log: (message, detail) => log("warn", message, detail),
        }),
        viewers: new ViewerHub({ clock, feed, control: views, guard, isAllowedOrigin }),
      };
      agents = opened.agents;
      viewers = opened.viewers;
      return {
        ...opened,
        close() {
          opened.viewers.close();
          opened.agents.close();
        },
      };
    },
    async stop() {
      webhooks.stop();
      cancelSystem();
      cancelRestless();
      stopSampler();
      publisher.stop();
      await loop.stop();
    },
  };
}

/** The hub is made after the loop that uses it. */
function lateLink(find: () => AgentHub | null): AgentLink {
  return {
    send: (command) => find()?.send(command) ?? false,
    acknowledge: (node, commandId) => find()?.acknowledge(node, commandId),
    drop: (node, code) => find()?.drop(node, code),
    refreshPeers: () => find()?.refreshPeers(),
  };
}

function every(intervalMs: number, run: () => void): () => void {
  const timer = setInterval(run, intervalMs);
  return () => clearInterval(timer);
}
