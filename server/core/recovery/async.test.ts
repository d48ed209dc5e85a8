import { describe, expect, it } from "vitest";
import type { Event, OperatorRequest } from "../event.ts";
import { beat, createHealthyCluster, type Puppet, pass, play, setSight, setStatus } from "../testing/puppet.ts";
import { planAction } from "./preflight.ts";

const cluster = (puppet: Puppet) => puppet.state.durable.clusters.get("orders")!;
const sent = (puppet: Puppet, verb: string) => puppet.commands.filter((command) => command.verb.verb === verb);
const verbs = (puppet: Puppet) => puppet.commands.map((command) => command.verb.verb);
const ada = { id: "u", name: "Ada", role: "admin" } as const;
const maxLagBytes = 1_000_000;

function ask(puppet: Puppet, request: OperatorRequest) {
  const event: Event = { kind: "operator-requested", requestId: "r", actor: ada, request };
  return play(puppet, [event]).replies[0];
}

function createAsync(watchdog = false): Puppet {
  const puppet = createHealthyCluster();
  for (const node of ["pg-a", "pg-b", "pg-c"]) setStatus(puppet, node, { watchdog });
  const durability = { mode: "async", maxLagBytes } as const;
  expect(ask(puppet, { kind: "set-durability", cluster: "orders", durability, reason: "x" })).toMatchObject({
    ok: true,
  });
  pass(puppet, 2_000);
  puppet.commands.length = 0;
  return puppet;
}

/** The primary's host is gone without a word: nobody reaches it. */
function lose(puppet: Puppet, node = "pg-a"): void {
  puppet.mute.add(node);
  for (const observer of ["pg-b", "pg-c"]) {
    setSight(puppet, observer, node, { reach: "failed", reason: "timeout", failingForMs: 3_000 });
    const receiver = { status: "none", senderHost: null, senderPort: null, receivedLsn: null } as const;
    setStatus(puppet, observer, { receiver: { ...receiver, advancedAgoMs: 3_000 } });
  }
}

function failover(puppet: Puppet, more: Partial<Extract<OperatorRequest, { kind: "failover" }>> = {}) {
  const now = { monoMs: puppet.clockMs, wallMs: puppet.clockMs, entropy: "t" };
  const plan = planAction(puppet.state, { kind: "failover", cluster: "orders", target: null }, now);
  const request = { kind: "failover", cluster: "orders", target: null, planHash: plan.planHash, reason: "x" } as const;
  return { plan, reply: ask(puppet, { ...request, ...more }) };
}

describe("an asynchronous cluster", () => {
  it("waits for nobody, and its standbys may renew the primary's lease", () => {
    const puppet = createAsync();
    expect(cluster(puppet).configurations).toMatchObject([
      { k: 0, members: ["pg-b", "pg-c"], lease: { durationMs: 10_000, maxLagBytes } },
    ]);
  });

  it("goes back to waiting for standbys behind the same barrier as ever", () => {
    const puppet = createAsync();
    ask(puppet, { kind: "set-durability", cluster: "orders", durability: { mode: "sync", k: 1 }, reason: "x" });
    pass(puppet, 2_000);
    expect(cluster(puppet).configurations).toMatchObject([{ k: 1, members: ["pg-b", "pg-c"] }]);
    expect(cluster(puppet).configurations[0]?.lease).toBeUndefined();
  });

  it("has its primary stopped by its own agent first, then its standbys sealed, then one of them promoted", () => {
    const puppet = createAsync();
    const exit = { pid: 1, code: null, signal: "SIGKILL", reaped: true, agoMs: 0 } as const;
    setStatus(puppet, "pg-a", { state: "stopped", role: null, exit });
    pass(puppet, 2_000);
    const order = verbs(puppet).filter((verb) => /fence|seal|promote/.test(verb));
    expect(order.slice(0, 4)).toEqual(["postgres.fence", "postgres.seal", "postgres.seal", "postgres.promote"]);
    expect(cluster(puppet).epochs.at(-1)).toMatchObject({ cause: "failover", fencedBy: "agent" });
  });
});

describe("a lost asynchronous primary that nothing can fence", () => {
  it("is not deposed by itself: nothing is sealed, and the reason is told", () => {
    const puppet = createAsync();
    lose(puppet);
    pass(puppet, 20_000);
    expect(cluster(puppet)).toMatchObject({ primary: "pg-a", epoch: 1 });
    expect(sent(puppet, "postgres.seal")).toEqual([]);
  });

  it("is deposed when a person confirms by its name that it is down", () => {
    const puppet = createAsync();
    lose(puppet);
    pass(puppet, 3_000);
    expect(failover(puppet).reply).toMatchObject({ ok: false, code: "confirm-down-needed" });
    expect(failover(puppet, { confirmDown: "pg-b" }).reply).toMatchObject({ ok: false, code: "confirm-down-other" });
    const { plan } = failover(puppet);
    expect(plan.fencing).toBe("operator");
    expect(failover(puppet, { confirmDown: "pg-a" }).reply).toMatchObject({ ok: true });
    pass(puppet, 1_000);
    expect(cluster(puppet).epochs.at(-1)).toMatchObject({ primary: "pg-b", fencedBy: "operator" });
  });

  it("that answers is not down, whatever a person says", () => {
    const puppet = createAsync();
    expect(failover(puppet, { confirmDown: "pg-a" }).reply).toMatchObject({ ok: false, code: "node-is-heard" });
  });
});

describe("a lost asynchronous primary under a lease", () => {
  it("is deposed when the lease has run out under a watchdog, and not before", () => {
    const puppet = createAsync(true);
    lose(puppet);
    pass(puppet, 11_500);
    expect(sent(puppet, "postgres.seal")).toHaveLength(2);
    expect(sent(puppet, "postgres.promote")).toEqual([]);
    pass(puppet, 4_000);
    expect(cluster(puppet).epochs.at(-1)).toMatchObject({ primary: "pg-b", fencedBy: "lease" });
  });

  it("stays while a standby that was not sealed could go on renewing it", () => {
    const puppet = createAsync(true);
    lose(puppet);
    puppet.mute.add("pg-c");
    pass(puppet, 30_000);
    expect(sent(puppet, "postgres.promote")).toEqual([]);
  });

  it("is renewed with every beat, and no more once its standbys are being sealed", () => {
    const puppet = createAsync(true);
    setStatus(puppet, "pg-a", { lease: { epoch: 1, ask: 77, leftMs: 9_000 } });
    const renewals = () => play(puppet, beat(puppet, "pg-a")).renewals;
    expect(renewals()).toEqual([{ node: "pg-a", cluster: "orders", epoch: 1, ask: 77 }]);
    puppet.unanswered.add("postgres.fence");
    failover(puppet);
    expect(renewals()).toBeUndefined();
  });

  it("is renewed until a synchronous promise is in force again: nobody holds the last write before that", () => {
    const puppet = createAsync(true);
    setStatus(puppet, "pg-a", { lease: { epoch: 1, ask: 77, leftMs: 9_000 } });
    puppet.unanswered.add("postgres.learn");
    ask(puppet, { kind: "set-durability", cluster: "orders", durability: { mode: "sync", k: 1 }, reason: "x" });
    pass(puppet, 2_000);
    expect(cluster(puppet).configurations.some(({ lease }) => lease !== undefined)).toBe(true);
    expect(play(puppet, beat(puppet, "pg-a")).renewals).toHaveLength(1);
  });
});

describe("a hook", () => {
  it("that reports success is certainty at once", () => {
    const puppet = createAsync();
    puppet.state.live.self.fences = ["pg-a"];
    lose(puppet);
    pass(puppet, 4_000);
    expect(sent(puppet, "host.fence").map((command) => command.node)).toEqual(["@control-plane"]);
    expect(cluster(puppet).epochs.at(-1)).toMatchObject({ primary: "pg-b", fencedBy: "hook" });
  });

  it("that does not answer promotes nobody", () => {
    const puppet = createAsync();
    puppet.state.live.self.fences = ["pg-a"];
    puppet.unanswered.add("host.fence");
    lose(puppet);
    pass(puppet, 20_000);
    expect(sent(puppet, "postgres.promote")).toEqual([]);
  });
});

describe("the possible loss", () => {
  it("beyond the limit refuses an automatic failover, and is offered with its figure", () => {
    const puppet = createAsync(true);
    setStatus(puppet, "pg-a", { lsn: 5_000_000 });
    pass(puppet, 500);
    lose(puppet);
    pass(puppet, 20_000);
    expect(sent(puppet, "postgres.seal")).toEqual([]);
    const { plan } = failover(puppet);
    expect(plan.possibleLossBytes).toBeGreaterThanOrEqual(4_999_000);
    expect(plan.checks.find((check) => check.code === "possible-loss")?.status).toBe("warn");
  });

  it("that was shown and accepted does not stand in the way", () => {
    const puppet = createAsync(true);
    setStatus(puppet, "pg-a", { lsn: 5_000_000 });
    pass(puppet, 500);
    lose(puppet);
    pass(puppet, 3_000);
    // The figure of a plan, taken a while after it was shown: by its rate the old primary may have written more since.
    const { plan } = failover(puppet);
    pass(puppet, 5_000);
    const accept = { confirmDown: "pg-a", acceptLossBytes: plan.possibleLossBytes };
    expect(failover(puppet, accept).reply).toMatchObject({ ok: true });
    pass(puppet, 1_000);
    expect(cluster(puppet).epochs.at(-1)).toMatchObject({ primary: "pg-b", fencedBy: "operator" });
    expect(cluster(puppet).epochs.at(-1)?.possibleLoss?.knownBytes).toBeGreaterThanOrEqual(4_999_000);
  });
});
