import type {
  Action,
  AuditDraft,
  ClusterRecord,
  CommandRecord,
  Incident,
  NodeRecord,
  TimelineEntry,
} from "../../core/index.ts";
import type { ErrorTrace } from "../../protocol/index.ts";

export const now = 1_790_000_000_000;

export function node(id: string): NodeRecord {
  return {
    id,
    publicKey: `key-${id}`,
    zone: "z1",
    labels: { tier: "database" },
    enrolledAt: now,
    revokedAt: null,
    maintenance: null,
  };
}

export function cluster(id: string, epoch: number): ClusterRecord {
  return {
    id,
    kind: "postgres",
    epoch,
    grantId: "grant-1",
    primary: "pg-a",
    systemId: "7301",
    durability: { mode: "sync", k: 1 },
    automation: { state: "on", by: "system", reason: "default", at: now },
    members: {
      "pg-a": { id: "pg-a", host: "127.0.0.1", port: 5432, standing: "member", cloneOnly: false, priority: 1 },
    },
    configurations: [{ epoch, version: 1, k: 1, members: ["pg-b"] }],
    configVersion: 1,
    highestTimeline: 1,
    commandStep: 0,
    epochs: [],
    openActionId: null,
    highestEpoch: epoch,
    budgetUsedAt: [],
    maintenance: null,
    preflightPassedAt: null,
  };
}

export function incident(id: string, change: Partial<Incident> = {}): Incident {
  return {
    id,
    phase: "open",
    severity: 1,
    openedAt: now,
    beganAt: now - 900,
    acknowledgedAt: null,
    acknowledgedBy: null,
    mitigatedAt: null,
    resolvedAt: null,
    closedAt: null,
    cluster: "orders",
    cause: {
      kind: "dead-primary",
      class: "software",
      subject: { kind: "service", id: "pg-a" },
      cluster: "orders",
      confidence: 0.98,
      evidence: [{ code: "process-exited", observer: "pg-a", data: { pid: 4 }, stance: "for" }],
      sinceWallMs: now - 900,
    },
    symptoms: [],
    suspects: [],
    impact: {
      writesUnavailableFrom: now - 900,
      writesUnavailableTo: null,
      writesUnavailableMs: null,
      acknowledgedLost: null,
      acknowledged: null,
      redundancyReducedFrom: null,
      redundancyReducedTo: null,
    },
    actionIds: [],
    lastSignalAt: now,
    follows: null,
    ...change,
  };
}

export function action(id: string, change: Partial<Action> = {}): Action {
  return {
    id,
    kind: "failover",
    cluster: "orders",
    phase: "running",
    state: "sealing",
    intentId: `intent-${id}`,
    epoch: 2,
    by: "system",
    automatic: true,
    reason: "dead-primary",
    incidentId: null,
    from: "pg-a",
    target: null,
    steps: [],
    sealed: [],
    candidates: [],
    startedAt: now,
    endedAt: null,
    firstSignalAt: now - 900,
    decidedAt: now,
    promoteSent: false,
    configuration: null,
    failure: null,
    ...change,
  };
}

export function command(id: string): CommandRecord {
  return {
    id,
    node: "pg-b",
    cluster: "orders",
    actionId: "ACT-1",
    stepIndex: 0,
    grant: { epoch: 2, intentId: "intent-ACT-1", step: 1, configVersion: 1 },
    verb: { verb: "postgres.seal", args: {} },
    createdAt: now,
  };
}

export function entry(kind: string, incidentId: string | null = "INC-1"): TimelineEntry {
  return {
    seq: 0,
    incidentId,
    at: now,
    nodeAt: null,
    lane: "verdict",
    kind,
    subject: { kind: "cluster", id: "orders" },
    data: { lagBytes: 12.5, name: "pg-a" },
    evidence: [],
    actor: "system",
  };
}

export function draft(verb: string, change: Partial<AuditDraft> = {}): AuditDraft {
  return {
    at: now,
    actor: "ada",
    actorRole: "operator",
    verb,
    subject: "cluster:orders",
    before: { epoch: 1 },
    after: { epoch: 2, note: "Größe 数据 🙂" },
    reason: "test",
    ...change,
  };
}

export function trace(message: string, change: Partial<ErrorTrace> = {}): ErrorTrace {
  return {
    service: "shop",
    language: "javascript",
    type: "TypeError",
    message,
    frames: [{ function: "pay", file: "checkout.js", line: 41 }],
    traceId: null,
    count: 1,
    ...change,
  };
}
