import { describe, expect, it } from "vitest";
import {
  applyWrites,
  createState,
  decide,
  decisionOfGid,
  defaultPolicy,
  type Event,
  explainCandidates,
  judgeClusterHealth,
  judgeNodeHealth,
  type PostgresStatus,
  planAction,
  planMigration,
  planRedisFailover,
  planRollback,
  planRollout,
  type ReplicationRow,
} from "../../core/index.ts";
import { projectCluster } from "./cluster-view.ts";
import { type ProjectionContext, ProjectionMemory } from "./context.ts";
import { projectNode, projectNodeDetail } from "./node-view.ts";
import { projectPlan } from "./plan-view.ts";

const probe = { ok: true, ms: 1, failingForMs: 0, reason: null };

function row(node: string, flushLsn: number): ReplicationRow {
  return {
    applicationName: `e1_${node}`,
    node,
    state: "streaming",
    syncState: "quorum",
    sentLsn: flushLsn,
    writeLsn: flushLsn,
    flushLsn,
    replayLsn: flushLsn,
    replayLagMs: 3,
  };
}

function status(over: Partial<PostgresStatus>): PostgresStatus {
  return {
    cluster: "orders",
    host: "127.0.0.1",
    port: 5_432,
    state: "running",
    role: "standby",
    systemId: "7",
    version: "15.1",
    timeline: 1,
    lsn: 0x5_0000,
    replayLsn: 0x5_0000,
    replayPaused: false,
    replayLagMs: 0,
    receiver: null,
    replication: [],
    synchronousStandbyNames: null,
    probe,
    syncProbe: null,
    exit: null,
    promise: null,
    configurations: [],
    promoteIssuedEpoch: null,
    connections: 4,
    preparedTransactions: 0,
    longestTransactionMs: null,
    response: null,
    canRewind: true,
    initialize: false,
    ...over,
  };
}

/** Three nodes as the real core takes them in: a primary, its standby, and an application that writes. */
function createContext(): ProjectionContext {
  const state = createState(defaultPolicy);
  const now = { monoMs: 10_000, wallMs: 1_700_000_000_000, entropy: "e" };
  const take = (...events: Event[]): void => applyWrites(state, decide(state, events, now).writes);
  for (const id of ["pg-a", "pg-b", "app"]) {
    take({
      kind: "node-enrolled",
      node: { id, publicKey: id, zone: "z", labels: {}, enrolledAt: 1, revokedAt: null, maintenance: null },
    });
    take({ kind: "agent-connected", node: id, sessionId: id, bootId: id, version: "1", address: "10.0.0.1" });
  }
  const beat = (node: string, over: Partial<Extract<Event, { kind: "heartbeat-received" }>>): Event => ({
    kind: "heartbeat-received",
    node,
    sessionId: node,
    seq: 1,
    bootId: node,
    monoMs: 1,
    wallMs: now.wallMs + 40,
    arrivalMs: 9_950,
    eager: false,
    loopLagMs: 1,
    host: null,
    postgres: null,
    peers: [],
    checks: [],
    workloads: [],
    ...over,
  });
  const response = (meanMs: number) => ({ meanMs, samples: 20, windowMs: 10_000 });
  take(
    beat("pg-a", {
      postgres: status({ role: "primary", lsn: 0x6_0000, replication: [row("pg-b", 0x5_8000)], response: response(2) }),
    }),
    beat("pg-b", {
      postgres: status({ response: response(4) }),
      peers: [
        { node: "pg-a", cluster: "orders", reach: "ok", reason: null, failingForMs: 0, responseMs: 1, response: null },
      ],
    }),
    beat("app", {
      workloads: [
        {
          name: "writer",
          cluster: "orders",
          writesPerSecond: 100,
          latencyMeanMs: 2,
          latencyP95Ms: 4,
          acknowledged: 500,
          failed: 0,
          lost: null,
          auditedAt: null,
          lastAcknowledgedAt: now.wallMs,
          unavailableForMs: 0,
          lastOutage: null,
          writingTo: "pg-a",
        },
      ],
    }),
  );
  const cluster = state.durable.clusters.get("orders");
  if (cluster === undefined) throw new Error("the core made no cluster");
  state.durable.clusters.set("orders", { ...cluster, primary: "pg-a", epoch: 1 });
  const judgements = {
    planMigration,
    planRedisFailover,
    planAction,
    planRollout,
    planRollback,
    decisionOfGid,
    judgeNodeHealth,
    judgeClusterHealth,
    explainCandidates: (s: typeof state, c: typeof cluster, n: typeof now) => explainCandidates(s, c, n, null),
  };
  return { state, now, judgements, memory: new ProjectionMemory() };
}

describe("projections", () => {
  it("show a cluster with lag from the primary's own row, R = Ts / Tr, and who sees whom", () => {
    const view = projectCluster(createContext(), "orders");
    const standby = view?.members.find((member) => member.node === "pg-b");
    expect(standby).toMatchObject({
      lagBytes: 0x8000,
      lagMs: 3,
      streaming: true,
      role: "standby",
      lsn: "0/50000",
      responseRatio: { r: 0.5, samples: 20, windowMs: 10_000 },
    });
    expect(view?.workload).toMatchObject({ name: "writer", writesPerSecond: 100 });
    expect(view?.sights).toContainEqual({ observer: "pg-b", subject: "pg-a", reach: "ok", reason: null });
    expect(view?.sights).toContainEqual({ observer: "control-plane", subject: "pg-b", reach: "ok", reason: null });
    expect(JSON.parse(JSON.stringify(view))).toEqual(view);
  });

  it("show a node's role, its age by our clock, and how others see it", () => {
    const context = createContext();
    expect(projectNode(context, "pg-a")).toMatchObject({ role: "primary", cluster: "orders", connected: true });
    expect(projectNode(context, "pg-b")).toMatchObject({ role: "standby" });
    expect(projectNode(context, "app")).toMatchObject({ role: "application", cluster: "orders" });
    const detail = projectNodeDetail(context, "pg-a", null);
    expect(detail?.lastSeenAt).toBe(context.now.wallMs - 50);
    expect(detail?.seenBy).toMatchObject([{ observer: "pg-b", reach: "ok" }]);
    expect(detail?.clockOffsetMs).toBeCloseTo(90);
    expect(projectNode(context, "nobody")).toBe(null);
  });

  it("remember since when a state holds", () => {
    const context = createContext();
    const first = projectNode(context, "pg-a")?.stateSince;
    const later = { ...context, now: { ...context.now, wallMs: context.now.wallMs + 5_000 } };
    expect(projectNode(later, "pg-a")?.stateSince).toBe(first);
  });

  it("write the command line of a plan", () => {
    const { state, now } = createContext();
    const plan = planAction(state, { kind: "switchover", cluster: "orders", target: "pg-b" }, now);
    expect(projectPlan(plan).command).toBe(`holdfast switchover orders --to pg-b --plan ${plan.planHash} --reason "…"`);
  });
});
