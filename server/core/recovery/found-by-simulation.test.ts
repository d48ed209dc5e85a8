import { describe, expect, it } from "vitest";
import { beat, createHealthyCluster, type Puppet, pass, play, setSight, setStatus } from "../testing/puppet.ts";
import { judgeMember } from "./judge-member.ts";
import { planAction } from "./preflight.ts";

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

describe("a silence that is only supposed to go on", () => {
  it("costs no failover before an observer has said so: we may be the ones who are cut off", () => {
    const puppet = createHealthyCluster();
    const silentFor = (failingForMs: number) => {
      for (const observer of ["pg-b", "pg-c"]) {
        setSight(puppet, observer, "pg-a", { reach: "failed", reason: "timeout", failingForMs });
        const receiver = { status: "streaming", senderHost: "h0", senderPort: 5432, receivedLsn: 1_000 } as const;
        setStatus(puppet, observer, { receiver: { ...receiver, advancedAgoMs: failingForMs } });
      }
    };
    puppet.mute.add("pg-a");
    for (const failingForMs of [250, 500, 750]) {
      silentFor(failingForMs);
      pass(puppet, 250);
    }
    for (const observer of ["pg-b", "pg-c"]) puppet.mute.add(observer);
    pass(puppet, 800);
    play(puppet, [{ kind: "ticked" }]);
    const now = { monoMs: puppet.clockMs, wallMs: puppet.clockMs, entropy: "t" };
    expect(judgeMember(puppet.state, cluster(puppet), "pg-a", now)?.kind).toBe("lost-primary");
    expect(sent(puppet, "postgres.seal")).toEqual([]);
    silentFor(1_500);
    puppet.mute.delete("pg-b");
    pass(puppet, 250);
    expect(sent(puppet, "postgres.seal").map(({ node }) => node)).toContain("pg-b");
  });
});

describe("a primary that refuses new connections", () => {
  it("is not lost when its agent falls silent: its host answers", () => {
    const puppet = createHealthyCluster();
    const refuses = (reason: "error" | "timeout", failingForMs: number) => {
      for (const observer of ["pg-b", "pg-c"]) {
        setSight(puppet, observer, "pg-a", { reach: "failed", reason, failingForMs });
        const receiver = { status: "none", senderHost: null, senderPort: null, receivedLsn: null } as const;
        setStatus(puppet, observer, { receiver: { ...receiver, advancedAgoMs: 3_000 } });
      }
    };
    puppet.mute.add("pg-a");
    refuses("error", 20_000);
    pass(puppet, 10_000);
    expect(sent(puppet, "postgres.seal")).toEqual([]);
    // Nor in the moment before we notice that we hear of nobody any more: what was heard last is a refusal, and no silence.
    for (const observer of ["pg-b", "pg-c"]) puppet.state.live.nodes.get(observer)!.statusAtMs -= 1_200;
    const now = { monoMs: puppet.clockMs, wallMs: puppet.clockMs, entropy: "t" };
    expect(judgeMember(puppet.state, cluster(puppet), "pg-a", now)?.kind).not.toBe("lost-primary");
    refuses("timeout", 20_000);
    pass(puppet, 2_000);
    expect(sent(puppet, "postgres.seal")).toHaveLength(2);
  });
});

describe("a member that was fenced and stopped", () => {
  it("is started as a standby at once, and rewound as soon as it tells a position past the fork", () => {
    const puppet = createHealthyCluster();
    const exit = { pid: 1, code: null, signal: "SIGKILL", reaped: true, agoMs: 0 } as const;
    puppet.unanswered.add("postgres.follow");
    setStatus(puppet, "pg-a", { state: "stopped", role: null, exit, lsn: null, timeline: null, canRewind: true });
    pass(puppet, 1_000);
    expect(cluster(puppet).members["pg-a"]?.standing).toBe("fenced");
    const follows = sent(puppet, "postgres.follow").filter((command) => command.node === "pg-a");
    expect(follows).toHaveLength(1);
    setStatus(puppet, "pg-a", { state: "running", role: "standby", timeline: 1, lsn: 1e12, exit: null });
    const outcome = { status: "done", data: {} } as const;
    play(puppet, [{ kind: "command-finished", node: "pg-a", commandId: follows[0]!.id, outcome, nodeAt: 0 }]);
    pass(puppet, 500);
    const rejoins = sent(puppet, "postgres.rejoin").filter((command) => command.node === "pg-a");
    expect(rejoins.at(-1)?.verb.args).toMatchObject({ mode: "rewind" });
  });
});

describe("a new primary that came back fenced before its first write was verified", () => {
  it("is started again within the same action, and verified then", () => {
    const puppet = createHealthyCluster();
    puppet.unanswered.add("postgres.verify");
    setStatus(puppet, "pg-a", {
      state: "stopped",
      role: null,
      exit: { pid: 1, code: null, signal: "SIGKILL", reaped: true, agoMs: 0 },
    });
    pass(puppet, 1_000);
    const primary = cluster(puppet).primary!;
    const verify = sent(puppet, "postgres.verify").at(-1)!;
    setStatus(puppet, primary, { state: "running", role: "standby", replication: [] });
    puppet.unanswered.delete("postgres.verify");
    const outcome = { status: "refused", code: "is-standby", detail: "" } as const;
    play(puppet, [{ kind: "command-finished", node: primary, commandId: verify.id, outcome, nodeAt: 0 }]);
    pass(puppet, 3_000);
    expect(sent(puppet, "postgres.restart").map((command) => command.node)).toEqual([primary]);
  });
});

describe("a promotion of unknown outcome", () => {
  it("is asked for again until the candidate answers, each time under a timeline number of its own", () => {
    const puppet = createHealthyCluster();
    puppet.unanswered.add("postgres.promote");
    const exit = { pid: 1, code: null, signal: "SIGKILL", reaped: true, agoMs: 0 } as const;
    setStatus(puppet, "pg-a", { state: "stopped", role: null, exit });
    pass(puppet, 500);
    for (let attempt = 1; attempt <= 3; attempt++) {
      const promote = sent(puppet, "postgres.promote").at(-1)!;
      const outcome = { status: "failed", code: "error", detail: "the server did not answer in time" } as const;
      play(puppet, [{ kind: "command-finished", node: promote.node, commandId: promote.id, outcome, nodeAt: 0 }]);
      pass(puppet, 5_000);
      expect(sent(puppet, "postgres.promote")).toHaveLength(attempt + 1);
    }
    const timelines = sent(puppet, "postgres.promote").map(({ verb }) => (verb.args as { timeline: number }).timeline);
    expect(new Set(timelines).size).toBe(4);
    expect(cluster(puppet).automation.state).toBe("on");
  });
});

describe("a standby that does not reach the primary", () => {
  it("is told again whom to follow, and neither rewound nor cloned", () => {
    const puppet = createHealthyCluster();
    puppet.unanswered.add("postgres.follow");
    setSight(puppet, "pg-b", "pg-a", { reach: "failed", reason: "timeout", failingForMs: 5_000 });
    setStatus(puppet, "pg-a", { replication: [] });
    setStatus(puppet, "pg-b", { receiver: null });
    for (let round = 0; round < 3; round++) {
      pass(puppet, 9_000);
      const follow = sent(puppet, "postgres.follow")
        .filter((command) => command.node === "pg-b")
        .at(-1);
      const outcome = { status: "done", data: {} } as const;
      if (follow !== undefined)
        play(puppet, [{ kind: "command-finished", node: "pg-b", commandId: follow.id, outcome, nodeAt: 0 }]);
    }
    pass(puppet, 9_000);
    const overwrites = sent(puppet, "postgres.rejoin").filter(({ node, grant }) => node === "pg-b" && grant.step > 8);
    expect(overwrites).toEqual([]);
    expect(sent(puppet, "postgres.follow").filter((command) => command.node === "pg-b").length).toBeGreaterThan(1);
  });
});

describe("an old primary that has taken up its grant while nobody listened", () => {
  it("refuses to follow, is fenced, and is not told again and again", () => {
    const puppet = createHealthyCluster();
    puppet.refused.add("postgres.follow");
    const now = { monoMs: puppet.clockMs, wallMs: puppet.clockMs, entropy: "t" };
    const { planHash } = planAction(puppet.state, { kind: "switchover", cluster: "orders", target: "pg-c" }, now);
    const request = { kind: "switchover", cluster: "orders", target: "pg-c", planHash, reason: "planned" } as const;
    play(puppet, [
      { kind: "operator-requested", requestId: "r1", actor: { id: "1", name: "ada", role: "operator" }, request },
    ]);
    pass(puppet, 500);
    const toOld = puppet.commands.filter(({ node, grant }) => node === "pg-a" && grant.epoch === 2);
    expect(toOld.map(({ verb }) => verb.verb)).toEqual(["postgres.follow", "postgres.fence"]);
    expect(cluster(puppet)).toMatchObject({ primary: "pg-c", openActionId: null });
  });
});
