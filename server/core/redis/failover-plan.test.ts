import { describe, expect, it } from "vitest";
import { createDetector } from "../detection/accrual.ts";
import { defaultPolicy } from "../policy/types.ts";
import { createState, type State } from "../state.ts";
import type { NodeLive } from "../topology/types.ts";
import { type FailoverMode, planRedisFailover } from "./failover-plan.ts";
import type { RedisDocument } from "./servers.ts";

const now = { monoMs: 50_000, wallMs: 1_700_000_000_000, entropy: "e" };
const names = ["a", "b", "c"];

/** Three shards: masters a-1, b-1, c-1, each with a replica; servers in `silent` are not heard and called failed by the others. */
function world(silent: readonly string[] = []): { state: State; record: RedisDocument } {
  const state = createState(defaultPolicy);
  const servers = names.flatMap((name, index) => [
    { id: `${name}-1`, port: index, master: null },
    { id: `${name}-2`, port: index + 10, master: `${name}-1` },
  ]);
  for (const { id, master } of servers) {
    const neighbours = servers
      .filter((other) => other.id !== id)
      .map((other) => ({
        id: other.id,
        host: "h",
        port: other.port,
        role: other.master === null ? "master" : "replica",
        masterId: other.master,
        health: silent.includes(other.id) ? "failed" : "ok",
        linked: !silent.includes(other.id),
      }));
    const shard = { id, masterId: master, state: "ok", slots: [], slotCount: 0, migrating: [], neighbours };
    const role = master === null ? "master" : "replica";
    const status = { cluster: "s", instance: id, state: "running", role, offset: master === null ? 120 : 100, shard };
    const times = {
      statusAtMs: now.monoMs,
      connectedAtMs: now.monoMs,
      lastFrameAtMs: now.monoMs,
      closedAtMs: now.monoMs,
    };
    const detector = createDetector({ intervalMs: 250, mistakesPerNodeDay: 1, maxSilenceMs: 5_000 });
    const live = { ...times, id, connected: !silent.includes(id), closeReason: "closed", redis: [status], detector };
    state.live.nodes.set(id, live as unknown as NodeLive);
  }
  const members = Object.fromEntries(
    servers.map(({ id, port }) => [id, { id, node: id, host: "h", port, standing: "member" as const }]),
  );
  const record = { id: "s", mode: "cluster", epoch: 1, primary: null, openActionId: null, members, epochs: [] };
  return { state, record: record as unknown as RedisDocument };
}

function blockedBy(silent: readonly string[], target: string, mode: FailoverMode): readonly string[] {
  const { state, record } = world(silent);
  const plan = planRedisFailover(state, record, { target, mode }, now);
  return plan.checks.filter(({ status }) => status === "block").map(({ code }) => code);
}

describe("failover of a shard by hand", () => {
  it("names the master that gives way, and only a replica that is heard may take over", () => {
    const { state, record } = world();
    expect(planRedisFailover(state, record, { target: "b-2", mode: "graceful" }, now).from).toBe("b-1");
    expect(blockedBy([], "b-2", "graceful")).toEqual([]);
    expect(blockedBy([], "b-1", "graceful")).toEqual(["redis-target-replica"]);
    expect(blockedBy(["b-2"], "b-2", "graceful")).toEqual(["redis-target-replica"]);
  });

  it("is graceful with a master that answers, by vote without it, and without a vote only by takeover", () => {
    expect(blockedBy(["b-1"], "b-2", "graceful")).toEqual(["redis-master-answers"]);
    expect(blockedBy(["b-1"], "b-2", "force")).toEqual([]);
    expect(blockedBy(["b-1", "a-1"], "b-2", "force")).toEqual(["redis-voters"]);
    expect(blockedBy(["b-1", "a-1"], "b-2", "takeover")).toEqual([]);
  });

  it("has another hash as soon as a check blocks", () => {
    const hash = (silent: readonly string[]) => {
      const { state, record } = world(silent);
      return planRedisFailover(state, record, { target: "b-2", mode: "graceful" }, now).planHash;
    };
    expect(hash([])).toBe(hash([]));
    expect(hash(["b-1"])).not.toBe(hash([]));
  });
});

/** The master a-1 with the replicas named, b-2 a little behind. */
function set(silent: readonly string[] = []): { state: State; record: RedisDocument } {
  const { state, record } = world(silent);
  const { "a-1": master, "a-2": first, "b-2": second } = record.members;
  const status = state.live.nodes.get("b-2")?.redis[0] as unknown as { offset: number };
  status.offset = 90;
  const members = { "a-1": master, "a-2": first, "b-2": second };
  return { state, record: { ...record, mode: "replica-set", primary: "a-1", kInForce: 1, members } as RedisDocument };
}

describe("failover of a replica set by hand", () => {
  const judge = (target: string | null, silent: readonly string[] = []) => {
    const { state, record } = set(silent);
    const { checks, from, runnable } = planRedisFailover(state, record, { target, mode: "graceful" }, now);
    return { from, runnable, marked: checks.filter(({ status }) => status !== "pass").map(({ code }) => code) };
  };

  it("may name the replica that takes over, or leave it to the highest offset", () => {
    expect(judge("a-2")).toEqual({ from: "a-1", runnable: true, marked: [] });
    expect(judge(null)).toEqual({ from: "a-1", runnable: true, marked: [] });
  });

  it("says that one which is behind is not chosen", () => {
    expect(judge("b-2")).toEqual({ from: "a-1", runnable: true, marked: ["redis-target-offset"] });
  });

  it("wants a replica that is heard, and enough of them to hold every confirmed write", () => {
    expect(judge("c-2")).toMatchObject({ runnable: false, marked: ["redis-target-replica"] });
    expect(judge("b-2", ["b-2"])).toMatchObject({ runnable: false, marked: ["quorum", "redis-target-replica"] });
  });

  it("promotes nobody off the history of the master, and counts nobody whose history is not known", () => {
    const judgeOn = (ids: Readonly<Record<string, string>>, target: string | null) => {
      const { state, record } = set();
      for (const [id, replicationId] of Object.entries(ids))
        Object.assign(state.live.nodes.get(id)?.redis[0] ?? {}, { replicationId });
      const current = { replicationId: "H", earlier: { replicationId: "R", end: 10 } };
      const known = { ...record, kInForce: 2, lineage: { current, before: [], left: ["R"] } };
      const { checks } = planRedisFailover(state, known, { target, mode: "graceful" }, now);
      return checks.filter(({ status }) => status === "block").map(({ code }) => code);
    };
    expect(judgeOn({ "a-2": "H", "b-2": "R" }, null)).toEqual([]);
    expect(judgeOn({ "a-2": "H", "b-2": "R" }, "b-2")).toEqual(["redis-same-history"]);
    expect(judgeOn({ "a-2": "R", "b-2": "R" }, null)).toEqual(["redis-same-history"]);
    expect(judgeOn({ "a-2": "X", "b-2": "X" }, null)).toEqual(["quorum", "redis-same-history"]);
  });
});
