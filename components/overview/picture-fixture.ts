import type { ActionView, ClusterView, IncidentView, NodeView } from "../../server/protocol/index.ts";
import type { Picture } from "./problems.ts";

/** Entities for tests: a healthy three-node cluster at wall clock `T0`, and parts to break it with. */
export const T0 = 1_700_000_000_000;

export function makeNode(id: string, over: Partial<NodeView> = {}): NodeView {
  return {
    entity: "node",
    id,
    zone: "eu-a",
    labels: {},
    state: "healthy",
    reasons: [],
    role: "standby",
    cluster: "orders",
    connected: true,
    agentVersion: "0.1.0",
    lastSeenAt: T0,
    heartbeatMs: 250,
    suspicion: 0,
    suspicionThreshold: 5,
    host: null,
    maintenance: null,
    stateSince: T0 - 60_000,
    ...over,
  };
}

export function makeCluster(over: Partial<ClusterView> = {}): ClusterView {
  return {
    entity: "cluster",
    id: "orders",
    kind: "postgres",
    state: "healthy",
    reasons: [],
    stateSince: T0 - 60_000,
    epoch: 6,
    primary: "pg-a",
    timeline: 6,
    durability: { mode: "sync", k: 1 },
    configuration: { epoch: 6, version: 1, k: 1, members: ["pg-b", "pg-c"] },
    reducedDurability: false,
    automation: { state: "on", by: "policy", reason: "default", at: T0 },
    budget: { used: 0, of: 3, nextFreeAt: null },
    maintenance: null,
    members: [],
    sights: [],
    epochs: [],
    workload: null,
    openActionId: null,
    openIncidentId: null,
    refusal: null,
    systemId: null,
    ...over,
  };
}

export function makeIncident(over: Partial<IncidentView> = {}): IncidentView {
  return {
    entity: "incident",
    unread: true,
    id: "INC-1",
    phase: "open",
    severity: 1,
    openedAt: T0 - 40_000,
    beganAt: T0 - 41_000,
    acknowledgedAt: null,
    acknowledgedBy: null,
    mitigatedAt: null,
    resolvedAt: null,
    closedAt: null,
    cluster: "orders",
    cause: {
      kind: "dead-primary",
      class: "software",
      subject: { kind: "node", id: "pg-a" },
      cluster: "orders",
      confidence: 0.99,
      evidence: [],
      sinceWallMs: T0 - 41_000,
    },
    symptoms: [],
    suspects: [],
    impact: {
      writesUnavailableFrom: null,
      writesUnavailableTo: null,
      writesUnavailableMs: null,
      acknowledgedLost: null,
      acknowledged: null,
      redundancyReducedFrom: null,
      redundancyReducedTo: null,
    },
    actionIds: [],
    lastSignalAt: T0 - 40_000,
    follows: null,
    ...over,
  };
}

export function makeAction(over: Partial<ActionView> = {}): ActionView {
  return {
    entity: "action",
    id: "ACT-1",
    kind: "failover",
    cluster: "orders",
    phase: "running",
    state: "sealing",
    intentId: "i",
    epoch: 7,
    by: "holdfast",
    automatic: true,
    reason: "dead-primary",
    incidentId: "INC-1",
    from: "pg-a",
    target: null,
    steps: [],
    sealed: [],
    candidates: [],
    startedAt: T0 - 40_800,
    endedAt: null,
    firstSignalAt: T0 - 41_000,
    decidedAt: T0 - 40_850,
    promoteSent: false,
    configuration: null,
    failure: null,
    waterfall: null,
    ...over,
  };
}

export function makePicture(over: Partial<Picture> = {}): Picture {
  return {
    nodes: [makeNode("pg-a", { role: "primary" }), makeNode("pg-b"), makeNode("pg-c")],
    clusters: [makeCluster()],
    incidents: [],
    actions: [],
    system: undefined,
    ...over,
  };
}
