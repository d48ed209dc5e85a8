import { describe, expect, it } from "vitest";
import { addNode, createHealthyCluster, type Puppet, pass, play, setStatus } from "../testing/puppet.ts";
import { planAction } from "./preflight.ts";

const cluster = (puppet: Puppet) => puppet.state.durable.clusters.get("orders")!;
const sent = (puppet: Puppet, verb: string) => puppet.commands.filter((command) => command.verb.verb === verb);
const ada = { id: "u", name: "Ada", role: "operator" } as const;

describe("a stranger", () => {
  const stranger = { state: "running", role: "primary", timeline: 4, lsn: 9_000 } as const;

  it("that runs as a primary nobody granted is never overwritten: quarantined, with an incident", () => {
    const puppet = createHealthyCluster();
    addNode(puppet, "pg-x", { ...stranger, systemId: "1" });
    pass(puppet, 12_000);
    expect(cluster(puppet).members["pg-x"]?.standing).toBe("quarantined");
    expect(puppet.commands.filter((command) => command.node === "pg-x")).toEqual([]);
    expect([...puppet.state.durable.incidents.values()].map((item) => item.cause.kind)).toContain("split-brain");
  });

  it("of another system is never overwritten either, and is cloned once a person has emptied it", () => {
    const puppet = createHealthyCluster();
    addNode(puppet, "pg-x", { ...stranger, role: "standby", systemId: "other" });
    pass(puppet, 12_000);
    expect(puppet.commands.filter((command) => command.node === "pg-x")).toEqual([]);
    setStatus(puppet, "pg-x", { state: "empty", role: null, systemId: null, timeline: null, lsn: null });
    pass(puppet, 2_000);
    expect(sent(puppet, "postgres.rejoin").at(-1)?.node).toBe("pg-x");
    expect(cluster(puppet).members["pg-x"]?.standing).toBe("member");
  });
});

describe("one change at a time", () => {
  it("of two switchovers asked for in one batch one begins", () => {
    const puppet = createHealthyCluster();
    const now = { monoMs: puppet.clockMs, wallMs: puppet.clockMs, entropy: "t" };
    const { planHash } = planAction(puppet.state, { kind: "switchover", cluster: "orders", target: "pg-c" }, now);
    const request = { kind: "switchover", cluster: "orders", target: "pg-c", planHash, reason: "twice" } as const;
    const decision = play(puppet, [
      { kind: "operator-requested", requestId: "r1", actor: ada, request },
      { kind: "operator-requested", requestId: "r2", actor: ada, request },
    ]);
    expect(decision.replies.map((reply) => reply.ok)).toEqual([true, false]);
    expect(sent(puppet, "postgres.demote")).toHaveLength(1);
  });
});

describe("a change of the synchronous set", () => {
  it("that was never sent to the primary is forgotten, and tried again in its own time", () => {
    const puppet = createHealthyCluster();
    puppet.unanswered.add("postgres.learn");
    addNode(puppet, "pg-d", {});
    pass(puppet, 60_000);
    expect(cluster(puppet).configurations.length).toBeLessThanOrEqual(2);
    expect(cluster(puppet).configVersion).toBeLessThan(12);
  });
});

describe("maintenance", () => {
  it("ends at its time by itself, in the record and in the audit", () => {
    const puppet = createHealthyCluster();
    const until = 1_700_000_000_000 + puppet.clockMs + 2_000;
    const maintenance = { muteAlerts: true, holdAutomation: true, by: "Ada", reason: "disk", until };
    const request = { kind: "set-cluster-maintenance", cluster: "orders", maintenance } as const;
    play(puppet, [{ kind: "operator-requested", requestId: "r", actor: ada, request }]);
    expect(cluster(puppet).maintenance).not.toBeNull();
    pass(puppet, 3_000);
    expect(cluster(puppet).maintenance).toBeNull();
  });
});

describe("a planned change", () => {
  it("goes back to the old primary when nobody holds its last checkpoint", () => {
    const puppet = createHealthyCluster();
    setStatus(puppet, "pg-a", { lsn: 50_000 });
    const now = { monoMs: puppet.clockMs, wallMs: puppet.clockMs, entropy: "t" };
    const { planHash } = planAction(puppet.state, { kind: "switchover", cluster: "orders", target: "pg-c" }, now);
    const request = { kind: "switchover", cluster: "orders", target: "pg-c", planHash, reason: "x" } as const;
    play(puppet, [{ kind: "operator-requested", requestId: "r", actor: ada, request }]);
    pass(puppet, 3_000);
    expect(sent(puppet, "postgres.promote")).toEqual([]);
    expect(cluster(puppet)).toMatchObject({ primary: "pg-a" });
    expect(sent(puppet, "postgres.regrant")).toHaveLength(1);
  });
});
