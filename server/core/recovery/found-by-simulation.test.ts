import { describe, expect, it } from "vitest";
import { beat, createHealthyCluster, type Puppet, pass, play, setSight, setStatus } from "../testing/puppet.ts";

/** Faults of the judgement that the simulator found; each test is its story told on puppets. */
const cluster = (puppet: Puppet) => puppet.state.durable.clusters.get("orders")!;
const sent = (puppet: Puppet, verb: string) => puppet.commands.filter((command) => command.verb.verb === verb);

describe("a primary that came back fenced", () => {
  it("is started again as primary when no failover took place", () => {
    const puppet = createHealthyCluster();
    setStatus(puppet, "pg-a", { state: "running", role: "standby", replication: [] });
    pass(puppet, 2_000);
    expect(sent(puppet, "postgres.restart").map((command) => [command.node, command.grant.epoch])).toEqual([
      ["pg-a", 1],
    ]);
    expect(cluster(puppet)).toMatchObject({ primary: "pg-a", epoch: 1 });
  });

  it("is left alone while a promotion is under way", () => {
    const puppet = createHealthyCluster();
    puppet.unanswered.add("postgres.promote");
    setStatus(puppet, "pg-a", {
      state: "stopped",
      role: null,
      exit: { pid: 1, code: null, signal: "SIGKILL", reaped: true, agoMs: 0 },
    });
    pass(puppet, 5_000);
    expect(sent(puppet, "postgres.promote")).toHaveLength(1);
    expect(sent(puppet, "postgres.restart")).toEqual([]);
  });
});

describe("a blip", () => {
  it("of up to a second in the server alone costs no failover", () => {
    const puppet = createHealthyCluster();
    for (const failingForMs of [300, 550, 800, 950]) {
      setStatus(puppet, "pg-a", { state: "hung", probe: { ok: false, ms: null, failingForMs, reason: "timeout" } });
      for (const observer of ["pg-b", "pg-c"]) {
        setSight(puppet, observer, "pg-a", { reach: "failed", reason: "accepted-silent", failingForMs });
        const receiver = { status: "streaming", senderHost: "h0", senderPort: 5432, receivedLsn: 1_000 } as const;
        setStatus(puppet, observer, { receiver: { ...receiver, advancedAgoMs: failingForMs } });
      }
      puppet.clockMs += failingForMs === 300 ? 300 : 250;
      play(
        puppet,
        [...puppet.statuses.keys()].flatMap((node) => beat(puppet, node)),
      );
    }
    expect(cluster(puppet).epoch).toBe(1);
    expect(sent(puppet, "postgres.seal")).toEqual([]);
  });
});
