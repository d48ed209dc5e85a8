import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NodeRecord, PostgresStatus } from "../core/index.ts";
import { FakeAgent, makeKeys } from "../testing/fake-agent.ts";
import { startTestServer, type TestServer } from "../testing/start-server.ts";
import { ClusterScope } from "./cluster-scope.ts";

const node = (labels: Record<string, string>): NodeRecord => ({
  id: "pg-a",
  publicKey: "k",
  zone: "a",
  labels,
  enrolledAt: 0,
  revokedAt: null,
  maintenance: null,
});

describe("which cluster a node may declare", () => {
  it("is the first one it names, for good, also when that is not committed yet", () => {
    const scope = new ClusterScope(() => []);
    expect(scope.refuse(node({}), "orders")).toBeNull();
    expect(scope.refuse(node({}), "orders")).toBeNull();
    expect(scope.refuse(node({}), "billing")).toContain("is a member of orders");
  });

  it("is the one it is a member of, whatever the process remembers", () => {
    const scope = new ClusterScope(() => ["orders"]);
    expect(scope.refuse(node({}), "billing")).toContain("is a member of orders");
    expect(scope.refuse(node({}), "orders")).toBeNull();
  });

  it("stands in the labels of its enrolment; what an agent adds can only narrow", () => {
    const scope = new ClusterScope(() => []);
    expect(scope.refuse(node({ cluster: "orders" }), "billing")).toContain("enrolled for orders");
    expect(scope.refuse(node({ cluster: "orders", clusters: "billing" }), "billing")).toContain("no cluster");
    expect(scope.refuse(node({ clusters: "" }), "orders")).toContain("no cluster");
    expect(scope.refuse(node({ clusters: "orders, billing" }), "billing")).toBeNull();
  });
});

describe("a heartbeat that claims a cluster", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.stop());

  async function enter(name: string, labels: Record<string, string>): Promise<FakeAgent> {
    const agent = await FakeAgent.open(server.url, makeKeys());
    await agent.enter(name, { enrolmentToken: await server.enrolmentToken(name, 60_000, labels) });
    return agent;
  }

  function beat(agent: FakeAgent, seq: number, cluster: string): void {
    const postgres: PostgresStatus = { ...status, cluster };
    const at = { seq, bootId: agent.bootId, monoMs: seq, wallMs: Date.now(), eager: true, loopLagMs: 0 };
    agent.send({ t: "heartbeat", ...at, host: null, postgres, peers: [], checks: [], workloads: [] });
  }

  const readClusters = async (): Promise<Record<string, string[]>> => {
    const { clusters } = await server.stores.store.load();
    return Object.fromEntries([...clusters.values()].map(({ id, members }) => [id, Object.keys(members).sort()]));
  };

  it("founds or joins no cluster but the node's own", async () => {
    const honest = await enter("pg-a", { cluster: "orders" });
    beat(honest, 1, "orders");
    const scoped = await enter("pg-b", { cluster: "billing" });
    beat(scoped, 1, "orders");
    beat(scoped, 2, "billing");
    const roaming = await enter("pg-c", {});
    for (const [index, cluster] of ["first", "second", "orders"].entries()) beat(roaming, index + 1, cluster);
    await expect.poll(readClusters).toEqual({ orders: ["pg-a"], billing: ["pg-b"], first: ["pg-c"] });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await readClusters()).toEqual({ orders: ["pg-a"], billing: ["pg-b"], first: ["pg-c"] });
    expect(server.complaints.filter((line) => line.includes("frame from an agent"))).toHaveLength(2);
    for (const agent of [honest, scoped, roaming]) agent.close();
  });
});

const status: PostgresStatus = {
  cluster: "orders",
  host: "127.0.0.1",
  port: 5432,
  state: "empty",
  role: null,
  systemId: null,
  version: null,
  timeline: null,
  lsn: null,
  replayLsn: null,
  replayPaused: false,
  replayLagMs: null,
  receiver: null,
  replication: [],
  synchronousStandbyNames: null,
  probe: { ok: false, ms: null, failingForMs: 0, reason: null },
  syncProbe: null,
  exit: null,
  promise: null,
  configurations: [],
  promoteIssuedEpoch: null,
  connections: null,
  preparedTransactions: null,
  longestTransactionMs: null,
  response: null,
  canRewind: false,
  initialize: false,
};
