import { describe, expect, it } from "vitest";
import type { DocumentOf } from "../documents.ts";
import { digestText } from "../plan-hash.ts";
import { createHealthyCluster } from "../testing/puppet.ts";
import { inverseOf } from "./endings.ts";
import { planRollout } from "./plan.ts";
import { versionBefore } from "./programs.ts";
import { Fleet, nodes } from "./testing/fleet.ts";
import type { ProgramRecord, ProgramStatus } from "./types.ts";

describe("a rollout", () => {
  it.each(["2pc", "3pc"] as const)(
    "by %s stages everywhere, tries the first wave, watches, then switches all",
    (protocol) => {
      const fleet = new Fleet();
      fleet.rollOut("2.0", protocol);
      expect(fleet.asked.slice(0, 3)).toEqual(["prepare web-1", "prepare web-2", "prepare web-3"]);
      fleet.pass(1_000);
      expect(fleet.versions()).toEqual(["2.0", "1.0", "1.0"]);
      fleet.pass(2_000);
      expect(fleet.versions()).toEqual(["2.0", "2.0", "2.0"]);
      expect(fleet.change()?.phase).toBe("watching");
      fleet.pass(3_000);
      expect(fleet.change()).toBeUndefined();
    },
  );

  it.each(["2pc", "3pc", "saga"] as const)(
    "by %s takes the first wave back when it crashes there, and names the release",
    (protocol) => {
      const fleet = new Fleet();
      fleet.bad.add("2.0");
      fleet.rollOut("2.0", protocol);
      fleet.pass(5_000);
      expect(fleet.versions()).toEqual(["1.0", "1.0", "1.0"]);
      expect(fleet.change()).toBeUndefined();
      const [incident] = fleet.state.durable.incidents.values();
      expect(incident).toMatchObject({ phase: "resolved", cause: { kind: "bad-release", class: "change" } });
      expect(fleet.asked.filter((step) => step === "commit web-2" || step === "do web-2")).toEqual([]);
    },
  );

  it("that does badly only after the decision is undone everywhere by a change of its own", () => {
    const fleet = new Fleet();
    fleet.rollOut("2.0", "2pc");
    fleet.pass(3_500);
    expect(fleet.change()).toMatchObject({ id: "CHG-1", phase: "watching" });
    fleet.bad.add("2.0");
    fleet.pass(5_000);
    expect(fleet.versions()).toEqual(["1.0", "1.0", "1.0"]);
    expect(fleet.state.durable.counters.change).toBe(2);
  });

  it("by saga goes node by node, and back in reverse order", () => {
    const fleet = new Fleet();
    fleet.rollOut("2.0", "saga");
    fleet.pass(2_500);
    fleet.bad.add("2.0");
    fleet.pass(4_000);
    const undone = fleet.asked.filter((step) => step.startsWith("undo"));
    expect(undone).toEqual(["undo web-3", "undo web-2", "undo web-1"]);
    expect(fleet.versions()).toEqual(["1.0", "1.0", "1.0"]);
  });

  it("starts a service again node by node, and stops at one that does not come back well", () => {
    const fleet = new Fleet();
    const restart = () => {
      const actor = { id: "ada", name: "ada", role: "operator" } as const;
      const request = { kind: "start-restart", service: "web", reason: "leak" } as const;
      expect(fleet.play([{ kind: "operator-requested", requestId: "r", actor, request }]).replies).toMatchObject([
        { ok: true },
      ]);
    };
    restart();
    expect(fleet.asked).toEqual(["do web-1"]);
    fleet.pass(2_500);
    expect(fleet.asked).toEqual(["do web-1"]);
    fleet.pass(20_000);
    expect(fleet.asked).toEqual(["do web-1", "do web-2", "do web-3"]);
    expect(fleet.change()).toBeUndefined();
    expect(fleet.versions()).toEqual(["1.0", "1.0", "1.0"]);
    fleet.bad.add("1.0");
    restart();
    fleet.pass(20_000);
    expect(fleet.asked.filter((step) => step.startsWith("do")).slice(3)).toEqual(["do web-1"]);
    // No release is to blame.
    expect(fleet.state.durable.incidents.size).toBe(0);
  });

  it("that puts a file back names the change that it undoes", () => {
    const fleet = new Fleet();
    for (const [node, status] of fleet.programs) {
      fleet.programs.set(node, { ...status, files: [{ name: "web.json", version: "c0ffee" }] });
    }
    fleet.pass(500);
    const item = { kind: "config-revert", file: "web.json", change: "CHG-7" } as const;
    const rollout = { service: "web", item, protocol: "2pc", waves: [], watchMs: 0, sql: null } as const;
    const { planHash } = planRollout(fleet.state, rollout);
    const actor = { id: "ada", name: "ada", role: "operator" } as const;
    const request = { kind: "start-rollout", rollout, planHash, reason: "wrong currency" } as const;
    fleet.play([{ kind: "operator-requested", requestId: "r", actor, request }]);
    expect(fleet.change()).toMatchObject({ rollbackOf: "CHG-7" });
  });

  it("carries its statements to the next primary, when the one that was asked is none any more", () => {
    const fleet = new Fleet();
    const shop = createHealthyCluster().state.durable.clusters.get("orders")!;
    const setCluster = (patch: object) => fleet.state.durable.clusters.set("orders", { ...shop, ...patch });
    setCluster({ openActionId: "held-still" });
    fleet.rollOut("2.0", "2pc", { cluster: "orders", database: "orders", statements: ["SELECT 1"] });
    const asked = () =>
      [...fleet.state.durable.commands.values()]
        .filter(({ verb }) => verb.verb === "change.sql")
        .map((each) => each.node);
    expect(asked()).toEqual(["pg-a"]);
    setCluster({ primary: null });
    fleet.pass(500);
    expect(asked()).toEqual(["pg-a"]);
    setCluster({ primary: "pg-b", epoch: shop.epoch + 1 });
    fleet.pass(500);
    expect(asked()).toEqual(["pg-b"]);
    fleet.answerSql({ answer: "failed", detail: "unreachable" });
    expect(asked()).toEqual([]);
    fleet.pass(3_000);
    expect(asked()).toEqual(["pg-b"]);
    fleet.answerSql({ answer: "yes", state: "prepared" });
    fleet.pass(3_500);
    expect(fleet.change()?.transaction).toMatchObject({ decision: "commit", phase: "committing" });
    expect(asked()).toEqual(["pg-b"]);
    setCluster({ primary: "pg-c", epoch: shop.epoch + 2 });
    fleet.pass(500);
    expect(asked()).toEqual(["pg-c"]);
    fleet.answerSql({ answer: "done", state: "committed" });
    fleet.pass(3_000);
    expect(asked()).toEqual([]);
    expect(fleet.change()).toBeUndefined();
  });

  it("goes one step back, also where only some nodes had taken it", () => {
    const entry = (version: string, verdict: "good" | "bad") => ({ version, verdict, change: null, at: 0 });
    const history = [entry("0.9", "good"), entry("1.0", "good"), entry("2.0", "good")];
    const record = { serial: 1, openChange: null, history } as unknown as ProgramRecord;
    expect(versionBefore(record, ["2.0"])).toBe("1.0");
    expect(versionBefore(record, ["2.0", "1.0"])).toBe("1.0");
    expect(versionBefore(null, ["1.0"])).toBeNull();
  });

  it("is undone where it was taken, and not by itself when its nodes came from different versions", () => {
    const fleet = new Fleet();
    fleet.rollOut("2.0", "2pc");
    const change = fleet.change() as DocumentOf<"change">;
    const inverse = (...befores: string[]) =>
      inverseOf({
        ...change,
        targets: change.targets.map((target, at) => ({ ...target, before: befores[at] ?? null })),
      });
    const back = { item: { kind: "release", version: "1.0" } };
    expect(inverse("2.0", "1.0", "1.0")?.request).toMatchObject({ ...back, waves: [["web-2", "web-3"]] });
    expect(inverse("0.9", "1.0", "1.0")).toBeNull();
  });

  it("stays an open incident while its rollback has not happened", () => {
    const fleet = new Fleet();
    fleet.rollOut("2.0", "2pc");
    fleet.pass(3_250);
    expect(fleet.versions()).toEqual(["2.0", "2.0", "2.0"]);
    fleet.bad.add("2.0");
    fleet.silent = "web-3";
    fleet.pass(1_000);
    expect(fleet.change()).toMatchObject({ rollbackOf: expect.stringMatching(/^CHG-/) });
    fleet.pass(75_000);
    expect(fleet.change()).toBeUndefined();
    // The others did not wait for it longer than a vote takes.
    expect(fleet.versions()).toEqual(["1.0", "1.0", "2.0"]);
    expect([...fleet.state.durable.incidents.values()]).toMatchObject([{ resolvedAt: null }]);
  });

  it("brings no file that is there already", () => {
    const fleet = new Fleet();
    const hold = (node: string, content: string) => {
      const status = fleet.programs.get(node) as ProgramStatus;
      fleet.programs.set(node, { ...status, files: [{ name: "web.json", version: digestText(content) }] });
    };
    for (const node of nodes) hold(node, "new");
    hold("web-2", "old");
    fleet.pass(500);
    const item = { kind: "config", file: "web.json", content: "new" } as const;
    const rollout = { service: "web", item, protocol: "2pc", waves: [], watchMs: 0, sql: null } as const;
    expect(planRollout(fleet.state, rollout)).toMatchObject({ runnable: true, version: digestText("new") });
    hold("web-2", "new");
    fleet.pass(500);
    expect(planRollout(fleet.state, rollout).checks).toContainEqual(
      expect.objectContaining({ code: "file-same", status: "block" }),
    );
  });

  it("ends without one that does not come back, when a person says so; what was decided stays its due", () => {
    const fleet = new Fleet();
    fleet.rollOut("2.0", "2pc");
    expect(fleet.setAside("web-3")).toMatchObject([{ ok: false, code: "not-decided" }]);
    fleet.pass(1_000);
    fleet.silent = "web-3";
    fleet.pass(30_000);
    expect(fleet.change()?.transaction).toMatchObject({ decision: "commit", phase: "committing" });
    expect(fleet.setAside("web-1")).toMatchObject([{ ok: false, code: "participant-through" }]);
    expect(fleet.setAside("web-9")).toMatchObject([{ ok: false, code: "unknown-participant" }]);
    expect(fleet.setAside("web-3")).toMatchObject([{ ok: true }]);
    // Nobody waits for it, so what its service makes of the rest is no judgement of this release.
    fleet.programs.set("web-3", { ...(fleet.programs.get("web-3") as ProgramStatus), healthy: false });
    fleet.pass(3_000);
    expect(fleet.change()).toBeUndefined();
    expect(fleet.state.durable.incidents.size).toBe(0);
    expect(fleet.versions()).toEqual(["2.0", "2.0", "1.0"]);
    fleet.comeBack();
    expect(fleet.versions()).toEqual(["2.0", "2.0", "2.0"]);
    expect(fleet.state.durable.commands.size).toBe(0);
  });

  it("by saga goes back past one that does not come back, each in its turn", () => {
    const fleet = new Fleet();
    fleet.rollOut("2.0", "saga");
    fleet.pass(2_500);
    fleet.bad.add("2.0");
    fleet.silent = "web-2";
    fleet.pass(4_000);
    expect(fleet.setAside("web-1")).toMatchObject([{ ok: false, code: "not-its-turn" }]);
    expect(fleet.setAside("web-2")).toMatchObject([{ ok: true }]);
    fleet.pass(500);
    expect(fleet.change()).toBeUndefined();
    expect(fleet.versions()).toEqual(["1.0", "2.0", "1.0"]);
    fleet.comeBack();
    expect(fleet.versions()).toEqual(["1.0", "1.0", "1.0"]);
  });

  it("is not blamed for the absence of the control plane itself", () => {
    const fleet = new Fleet();
    fleet.rollOut("2.0", "2pc");
    fleet.pass(500);
    fleet.nowMs += 60_000;
    fleet.state.live.nodes.clear();
    fleet.state.live.self.startedAtMs = fleet.nowMs;
    fleet.play([{ kind: "ticked" }]);
    expect(fleet.change()).toMatchObject({ fault: null, transaction: { decision: null } });
  });

  it("aborts when a vote is missing in time, and is not begun beside another", () => {
    const fleet = new Fleet();
    fleet.silent = "web-2";
    fleet.rollOut("2.0", "2pc");
    const item = { kind: "release", version: "3.0" } as const;
    const other = { service: "web", item, protocol: "2pc", waves: [], watchMs: 0, sql: null } as const;
    expect(planRollout(fleet.state, other)).toMatchObject({ runnable: false });
    fleet.pass(31_000);
    expect(fleet.change()?.transaction).toMatchObject({ decision: "abort", cause: { code: "no-vote-in-time" } });
    expect(fleet.versions()).toEqual(["1.0", "1.0", "1.0"]);
  });

  it("asks for three when a majority must be there, and warns of a release that did badly before", () => {
    const fleet = new Fleet();
    const item = { kind: "release", version: "2.0" } as const;
    const two = {
      service: "web",
      item,
      protocol: "3pc",
      waves: [["web-1"], ["web-2"]],
      watchMs: 0,
      sql: null,
    } as const;
    expect(planRollout(fleet.state, two).checks).toContainEqual(
      expect.objectContaining({ code: "three-phase-needs-three", status: "block" }),
    );
    fleet.bad.add("2.0");
    fleet.rollOut("2.0", "2pc");
    fleet.pass(5_000);
    const again = planRollout(fleet.state, { ...two, protocol: "2pc" });
    expect(again.checks).toContainEqual(expect.objectContaining({ code: "was-bad-before", status: "warn" }));
  });
});
