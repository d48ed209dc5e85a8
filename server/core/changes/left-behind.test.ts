import { describe, expect, it } from "vitest";
import { createHealthyCluster } from "../testing/puppet.ts";
import { decisionOfGid } from "./requests.ts";
import { Fleet } from "./testing/fleet.ts";
import { gidOf } from "./verbs.ts";

/** 2.0 runs everywhere and does badly: its inverse begins. */
function begin(prepare: (fleet: Fleet) => void): Fleet {
  const fleet = new Fleet();
  fleet.rollOut("2.0", "2pc");
  fleet.pass(3_250);
  expect(fleet.versions()).toEqual(["2.0", "2.0", "2.0"]);
  prepare(fleet);
  fleet.bad.add("2.0");
  fleet.pass(1_000);
  return fleet;
}

const incidentsOf = (fleet: Fleet) =>
  [...fleet.state.durable.incidents.values()]
    .filter(({ cause }) => cause.kind === "bad-release")
    .map(({ resolvedAt }) => resolvedAt !== null);

describe("a rollback", () => {
  it("goes on with the nodes that are there, says which are left, and takes those back when they return", () => {
    const fleet = begin((each) => each.leave("web-3"));
    expect(fleet.change()).toMatchObject({ rollbackOf: "CHG-1", left: ["web-3"] });
    expect(fleet.change()?.story.map(({ kind }) => kind)).toContain("left-out");
    fleet.pass(3_000);
    expect(fleet.change()).toBeUndefined();
    expect(fleet.versions()).toEqual(["1.0", "1.0", "2.0"]);
    // The bad release is still somewhere: not over.
    expect(incidentsOf(fleet)).toEqual([false]);
    fleet.pass(20_000);
    expect(fleet.change()).toBeUndefined();
    fleet.join("web-3");
    fleet.pass(6_000);
    expect(fleet.versions()).toEqual(["1.0", "1.0", "1.0"]);
    expect(fleet.change()).toBeUndefined();
    expect(incidentsOf(fleet)).toEqual([true]);
  });

  it("begins anew without one that does not vote, instead of leaving everybody on what is bad", () => {
    const fleet = begin((each) => {
      each.silent = "web-2";
    });
    fleet.asked.length = 0;
    fleet.pass(32_000);
    expect(fleet.asked.filter((each) => each.startsWith("commit"))).toEqual(["commit web-1", "commit web-3"]);
    expect(fleet.versions()).toEqual(["1.0", "2.0", "1.0"]);
  });

  it("by hand leaves a node that is away, and is overtaken by a later change", () => {
    const fleet = begin(() => undefined);
    fleet.pass(5_000);
    fleet.bad.clear();
    fleet.rollOut("3.0", "2pc");
    fleet.pass(8_000);
    expect(fleet.versions()).toEqual(["3.0", "3.0", "3.0"]);
    fleet.leave("web-3");
    const actor = { id: "ada", name: "ada", role: "operator" } as const;
    const request = { kind: "start-rollback", service: "web", version: "1.0", reason: "slow" } as const;
    const { replies } = fleet.play([{ kind: "operator-requested", requestId: "r", actor, request }]);
    expect(replies).toMatchObject([{ ok: true }]);
    fleet.pass(13_000);
    expect(fleet.versions()).toEqual(["1.0", "1.0", "3.0"]);
    const again = { ...request, version: "2.0" };
    fleet.play([{ kind: "operator-requested", requestId: "r", actor, request: again }]);
    fleet.pass(13_000);
    fleet.join("web-3");
    fleet.pass(13_000);
    expect(fleet.versions()).toEqual(["2.0", "2.0", "2.0"]);
  });
});

describe("a trial that does not work", () => {
  it.each([
    ["refused", { status: "refused", code: "not-granted", detail: "no" }],
    ["failed", { status: "failed", code: "io", detail: "disk" }],
  ])("is made again after a pause that grows (%s), and counts as one that did badly in the end", (_, outcome) => {
    const fleet = new Fleet();
    fleet.trialOutcome = outcome;
    fleet.rollOut("2.0", "2pc");
    const trials = () => fleet.asked.filter((each) => each === "trial web-1").length;
    expect(trials()).toBe(1);
    fleet.pass(1_000);
    expect(trials()).toBe(2);
    fleet.pass(10_000);
    expect(trials()).toBe(5);
    expect(fleet.change()?.transaction.decision).toBeNull();
    fleet.pass(60_000);
    expect(trials()).toBe(10);
    expect(fleet.change()).toBeUndefined();
    expect(fleet.versions()).toEqual(["1.0", "1.0", "1.0"]);
  });

  it("is forgotten once it works", () => {
    const fleet = new Fleet();
    fleet.trialOutcome = { status: "failed", code: "io", detail: "disk" };
    fleet.rollOut("2.0", "2pc");
    fleet.pass(1_000);
    fleet.trialOutcome = null;
    fleet.pass(8_000);
    expect(fleet.versions()).toEqual(["2.0", "2.0", "2.0"]);
  });
});

describe("a database whose change went on without it", () => {
  it("is told what was decided, as long as that can still be carried out", () => {
    const fleet = new Fleet();
    const shop = createHealthyCluster().state.durable.clusters.get("orders");
    if (shop === undefined) throw new Error("no cluster");
    fleet.state.durable.clusters.set("orders", { ...shop, openActionId: "held-still" });
    fleet.rollOut("2.0", "2pc", { cluster: "orders", database: "orders", statements: ["SELECT 1"] });
    fleet.answerSql({ answer: "yes", state: "prepared" });
    fleet.pass(3_500);
    const gid = gidOf("CHG-1", "orders");
    expect(decisionOfGid(fleet.state, gid)).toBe("commit");
    expect(fleet.setAside("sql:orders")).toMatchObject([{ ok: true }]);
    fleet.pass(4_000);
    expect(fleet.change()).toBeUndefined();
    expect(decisionOfGid(fleet.state, gid)).toBe("commit");
    // Another primary refuses what was told under the grant of the one before.
    fleet.state.durable.clusters.set("orders", { ...shop, epoch: shop.epoch + 1, openActionId: "held-still" });
    expect(decisionOfGid(fleet.state, gid)).toBe("closed");
    expect(decisionOfGid(fleet.state, gidOf("CHG-9", "orders"))).toBe("closed");
  });
});
