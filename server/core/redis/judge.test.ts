import { describe, expect, it } from "vitest";
import { createDetector } from "../detection/accrual.ts";
import { defaultPolicy } from "../policy/types.ts";
import { createState, type State } from "../state.ts";
import type { NodeLive } from "../topology/types.ts";
import { judgeShards } from "./judge.ts";
import type { RedisDocument } from "./servers.ts";
import type { RedisNeighbour } from "./status.ts";

const now = { monoMs: 60_000, wallMs: 1_700_000_000_000, entropy: "e" };
const masters = ["a", "b", "c"];

/** Three masters; those named in `dead` have a closed agent, the rest says `health` of them. */
function cluster(dead: readonly string[], health: RedisNeighbour["health"]): { state: State; record: RedisDocument } {
  const state = createState(defaultPolicy);
  const members = masters.map((id, port) => [id, { id, node: id, host: "h", port, standing: "member" as const }]);
  masters.forEach((id, port) => {
    const alive = !dead.includes(id);
    const neighbours = masters.flatMap((other, otherPort) =>
      other === id
        ? []
        : [{ id: other, host: "h", port: otherPort, role: "master", health: dead.includes(other) ? health : "ok" }],
    );
    const status = { cluster: "sessions", instance: id, role: "master", state: "running", host: "h", port };
    const detector = { intervalMs: 250, mistakesPerNodeDay: 0.1, minSilenceMs: 1_000, maxSilenceMs: 5_000 };
    state.live.nodes.set(id, {
      connected: alive,
      closedAtMs: alive ? null : now.monoMs - 2_000,
      closeReason: alive ? null : "closed",
      lastFrameAtMs: now.monoMs,
      connectedAtMs: 0,
      statusAtMs: now.monoMs,
      detector: createDetector(detector),
      redis: [{ ...status, exit: null, shard: { id, neighbours } }],
    } as unknown as NodeLive);
  });
  const record = { id: "sessions", mode: "cluster", members: Object.fromEntries(members) };
  return { state, record: record as unknown as RedisDocument };
}

const judge = (dead: readonly string[], health: RedisNeighbour["health"]) => {
  const { state, record } = cluster(dead, health);
  return judgeShards(state, record, now);
};

describe("a master of a Redis Cluster", () => {
  it("is dead when the others have voted so, not while one only suspects it", () => {
    expect(judge(["a"], "failed")).toMatchObject({ kind: "dead-primary", subject: { id: "a" } });
    expect(judge(["a"], "suspected")).toBeNull();
  });

  it("is dead on suspicion when too few masters are left to vote: nobody will ever say more", () => {
    const verdict = judge(["a", "b"], "suspected");
    expect(verdict).toMatchObject({ kind: "dead-primary", subject: { id: "a" } });
    expect(verdict?.evidence.map(({ code, observer }) => [code, observer])).toEqual([["redis-suspected-no-vote", "c"]]);
  });
});
