import { describe, expect, it } from "vitest";
import { planAction } from "./recovery/preflight.ts";
import {
  addNode,
  beat,
  createHealthyCluster,
  createPuppet,
  type Puppet,
  pass,
  play,
  setSight,
  setStatus,
} from "./testing/puppet.ts";

const cluster = (puppet: Puppet) => puppet.state.durable.clusters.get("orders")!;
const incident = (puppet: Puppet) => [...puppet.state.durable.incidents.values()].at(-1);
const sent = (puppet: Puppet, verb: string) => puppet.commands.filter((command) => command.verb.verb === verb);
const lastAction = (puppet: Puppet, kind: string) =>
  [...puppet.state.durable.actions.values()].filter((a) => a.kind === kind).at(-1);

/** The agent's socket closes and both standbys lose the stream and the SQL connection at once. */
function crashPrimary(puppet: Puppet): void {
  const primary = cluster(puppet).primary!;
  puppet.mute.add(primary);
  play(puppet, [{ kind: "agent-disconnected", node: primary, sessionId: `s-${primary}`, reason: "closed" }]);
  for (const node of puppet.statuses.keys()) if (node !== primary) loseSight(puppet, node, primary, "closed", 0);
}

function loseSight(
  puppet: Puppet,
  observer: string,
  node: string,
  reason: "closed" | "timeout" | "accepted-silent",
  failingForMs: number,
): void {
  setSight(puppet, observer, node, { reach: "failed", reason, failingForMs });
  setStatus(puppet, observer, {
    receiver: { status: "none", senderHost: null, senderPort: null, receivedLsn: null, advancedAgoMs: failingForMs },
  });
}

describe("bootstrap", () => {
  it("initializes the chosen member, clones the others, records the set and turns automation on", () => {
    const puppet = createHealthyCluster();
    const record = cluster(puppet);
    expect(record.primary).toBe("pg-a");
    expect(record.epoch).toBe(1);
    expect(record.configurations).toEqual([
      { epoch: 1, version: record.configVersion, k: 1, members: ["pg-b", "pg-c"] },
    ]);
    expect(record.automation.state).toBe("on");
    expect(
      sent(puppet, "postgres.rejoin")
        .map((command) => command.node)
        .sort(),
    ).toEqual(["pg-b", "pg-c"]);
    expect(puppet.state.durable.commands.size).toBe(0);
  });

  it("adopts a running primary without a restart, and stays held until the standbys stream", () => {
    const puppet = createPuppet();
    addNode(puppet, "pg-a", { state: "running", role: "primary", timeline: 3, lsn: 500, systemId: "1" });
    pass(puppet, 500);
    expect(cluster(puppet).epochs[0]).toMatchObject({ cause: "adopt", primary: "pg-a", timeline: 3 });
    expect(cluster(puppet).automation).toMatchObject({ state: "held", reason: "preflight-pending" });
  });
});

describe("failover", () => {
  it("seals both standbys, promotes one with the highest LSN, verifies, and mitigates the incident", () => {
    const puppet = createHealthyCluster();
    setStatus(puppet, "pg-b", { lsn: 2_000 });
    setStatus(puppet, "pg-c", { lsn: 2_400 });
    crashPrimary(puppet);
    play(
      puppet,
      ["pg-b", "pg-c"].flatMap((node) => beat(puppet, node)),
    );
    const record = cluster(puppet);
    expect(record).toMatchObject({ primary: "pg-c", epoch: 2 });
    expect(record.members["pg-a"]?.standing).toBe("fenced");
    expect(lastAction(puppet, "failover")).toMatchObject({ phase: "done", target: "pg-c", automatic: true });
    expect(incident(puppet)?.cause).toMatchObject({ kind: "dead-primary" });
    pass(puppet, 500);
    expect(incident(puppet)?.mitigatedAt).not.toBeNull();
  });

  it("takes the word of an agent that reaped its postmaster, without another observer", () => {
    const puppet = createHealthyCluster();
    setStatus(puppet, "pg-a", {
      state: "stopped",
      exit: { pid: 7, code: null, signal: "SIGKILL", reaped: true, agoMs: 2 },
    });
    pass(puppet, 250);
    expect(cluster(puppet).primary).not.toBe("pg-a");
  });

  it("does nothing on one observer's word: the agent is silent, both standbys still receive", () => {
    const puppet = createHealthyCluster();
    puppet.mute.add("pg-a");
    pass(puppet, 10_000);
    expect(cluster(puppet)).toMatchObject({ primary: "pg-a", epoch: 1 });
    expect(incident(puppet)?.cause.kind).toBe("unreachable-agent");
  });

  it("is vetoed by one standby that still reaches the primary", () => {
    const puppet = createHealthyCluster();
    puppet.mute.add("pg-a");
    loseSight(puppet, "pg-b", "pg-a", "timeout", 5_000);
    pass(puppet, 5_000);
    expect(cluster(puppet).epoch).toBe(1);
  });

  it("names freeze, partition and loss apart", () => {
    const modes = [
      { reason: "accepted-silent", witness: false, kind: "frozen-primary" },
      { reason: "timeout", witness: true, kind: "partitioned-primary" },
      { reason: "timeout", witness: false, kind: "lost-primary" },
    ] as const;
    for (const mode of modes) {
      const puppet = createHealthyCluster();
      addNode(puppet, "app-1", {});
      puppet.statuses.delete("app-1");
      puppet.mute.add("pg-a");
      for (const node of ["pg-b", "pg-c"]) loseSight(puppet, node, "pg-a", mode.reason, 5_000);
      if (mode.witness) setSight(puppet, "app-1", "pg-a", {});
      for (let beats = 0; beats < 12; beats++) {
        pass(puppet, 250);
        play(
          puppet,
          beat(puppet, "app-1").map((event) => ({ ...event, postgres: null })),
        );
      }
      expect(incident(puppet)?.cause.kind).toBe(mode.kind);
      expect(cluster(puppet).epoch).toBe(2);
    }
  });

  it("refuses without a quorum, says why once, and goes on when the missing standby is back", () => {
    const puppet = createHealthyCluster();
    puppet.mute.add("pg-c");
    play(puppet, [{ kind: "agent-disconnected", node: "pg-c", sessionId: "s-pg-c", reason: "closed" }]);
    crashPrimary(puppet);
    pass(puppet, 3_000);
    expect(cluster(puppet)).toMatchObject({ epoch: 1, primary: "pg-a" });
    expect(sent(puppet, "postgres.seal")).toHaveLength(0);
    puppet.mute.delete("pg-c");
    play(puppet, [
      { kind: "agent-connected", node: "pg-c", sessionId: "s-pg-c", bootId: "boot", version: "0", address: "" },
    ]);
    pass(puppet, 1_000);
    expect(cluster(puppet).epoch).toBe(2);
  });

  it("keeps the old configurations until a write was verified under the new one", () => {
    const puppet = createHealthyCluster();
    puppet.unanswered.add("postgres.verify");
    crashPrimary(puppet);
    pass(puppet, 250);
    expect(cluster(puppet).configurations.map((item) => item.epoch)).toEqual([1, 2]);
  });

  it("holds itself when most of the fleet is silent at once", () => {
    const puppet = createHealthyCluster();
    for (const node of ["pg-a", "pg-b", "pg-c"]) puppet.mute.add(node);
    puppet.clockMs += 6_000;
    play(puppet, [{ kind: "ticked" }]);
    expect(puppet.state.live.self.frozen?.reason).toBe("fleet-silent");
    expect(cluster(puppet).epoch).toBe(1);
  });

  it("stops at its budget", () => {
    const puppet = createHealthyCluster({ failoverBudget: 0 });
    crashPrimary(puppet);
    pass(puppet, 2_000);
    expect(cluster(puppet).epoch).toBe(1);
  });
});

describe("after a failover", () => {
  it("brings the old primary back, puts it in the synchronous set and resolves the incident", () => {
    const puppet = createHealthyCluster();
    crashPrimary(puppet);
    pass(puppet, 500);
    puppet.mute.delete("pg-a");
    setStatus(puppet, "pg-a", { state: "running", role: "standby", timeline: 1, lsn: 9_999, receiver: null });
    for (const node of ["pg-b", "pg-c"]) setSight(puppet, node, "pg-a", {});
    play(puppet, [
      { kind: "agent-connected", node: "pg-a", sessionId: "s-pg-a", bootId: "boot2", version: "0", address: "" },
    ]);
    pass(puppet, 3_000);
    expect(sent(puppet, "postgres.rejoin").at(-1)).toMatchObject({ node: "pg-a", verb: { args: { mode: "clone" } } });
    expect(cluster(puppet).configurations.at(-1)?.members).toContain("pg-a");
    expect(incident(puppet)?.phase).toBe("resolved");
  });
});

describe("switchover", () => {
  it("shuts the old primary down, promotes the target and lets the old one follow", () => {
    const puppet = createHealthyCluster();
    const now = { monoMs: puppet.clockMs, wallMs: puppet.clockMs, entropy: "t" };
    const plan = planAction(puppet.state, { kind: "switchover", cluster: "orders", target: "pg-c" }, now);
    expect(plan.checks.filter((check) => check.status === "block")).toEqual([]);
    const actor = { id: "u", name: "Ada", role: "operator" } as const;
    const request = {
      kind: "switchover",
      cluster: "orders",
      target: "pg-c",
      planHash: plan.planHash,
      reason: "test",
    } as const;
    play(puppet, [{ kind: "operator-requested", requestId: "r", actor, request }]);
    pass(puppet, 4_000);
    expect(cluster(puppet)).toMatchObject({ primary: "pg-c", epoch: 2 });
    expect(lastAction(puppet, "switchover")?.phase).toBe("done");
    expect(puppet.state.durable.incidents.size).toBe(0);
    expect(cluster(puppet).configurations.at(-1)?.members).toEqual(["pg-a", "pg-b"]);
  });

  it("refuses a plan that has changed since it was shown", () => {
    const puppet = createHealthyCluster();
    const actor = { id: "u", name: "Ada", role: "operator" } as const;
    const request = { kind: "switchover", cluster: "orders", target: "pg-c", planHash: "stale", reason: "" } as const;
    const decision = play(puppet, [{ kind: "operator-requested", requestId: "r", actor, request }]);
    expect(decision.replies[0]).toMatchObject({ ok: false, code: "plan-changed" });
  });
});
