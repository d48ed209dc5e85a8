import { describe, expect, it } from "vitest";
import type { OperatorRequest } from "../event.ts";
import { createHealthyCluster, type Puppet, pass, play, setStatus } from "../testing/puppet.ts";
import { listInDoubt } from "./in-doubt.ts";

const transaction = (gid: string, ageMs: number) => ({
  ...{ gid, ageMs, database: "app", owner: "shop", xidAge: 4, relations: ["stock"] },
  ...{ lockCount: 3, waiting: 1, longestWaitMs: 500 },
});

const cluster = (puppet: Puppet) => puppet.state.durable.clusters.get("orders")!;

/** A cluster whose primary reports these, the later ones older. */
function prepared(...gids: readonly string[]): Puppet {
  const puppet = createHealthyCluster();
  pass(puppet, 1_000);
  const { primary, epoch, configVersion, commandStep } = cluster(puppet);
  const promise = { epoch, intentId: "intent", step: commandStep, configVersion };
  setStatus(puppet, primary ?? "", { promise, inDoubt: gids.map((gid, i) => transaction(gid, 1_000 * (i + 1))) });
  pass(puppet, 1_000);
  puppet.commands.length = 0;
  return puppet;
}

function ask(puppet: Puppet, gid: string, patch: Partial<Extract<OperatorRequest, { kind: "resolve-in-doubt" }>> = {}) {
  const request = { kind: "resolve-in-doubt", cluster: "orders", gid, database: "app", decision: "commit" } as const;
  const actor = { id: "u", name: "ada", role: "operator" } as const;
  return play(puppet, [
    { kind: "operator-requested", requestId: "r1", actor, request: { ...request, reason: "looked it up", ...patch } },
  ]);
}

describe("transactions in doubt", () => {
  it("are listed from primaries, oldest first, and those of our changes are known", () => {
    const puppet = prepared("shop-1", "holdfast_CHG-1_orders");
    expect(listInDoubt(puppet.state).map(({ decision, transaction: { gid } }) => ({ decision, gid }))).toEqual([
      { decision: "closed", gid: "holdfast_CHG-1_orders" },
      { decision: null, gid: "shop-1" },
    ]);
  });

  it("are ended at the primary under its grant, and written down", () => {
    const puppet = prepared("shop-1");
    const decision = ask(puppet, "shop-1");
    expect(decision.replies[0]).toMatchObject({ ok: true });
    const { primary, epoch } = cluster(puppet);
    expect(puppet.commands).toMatchObject([
      {
        node: primary,
        grant: { epoch },
        verb: { verb: "postgres.resolve", args: { gid: "shop-1", decision: "commit" } },
      },
    ]);
    const audits = decision.writes.flatMap((write) => (write.kind === "append-audit" ? [write.value] : []));
    expect(audits).toMatchObject([{ verb: "in-doubt-committed", actor: "ada", reason: "looked it up" }]);
    expect(puppet.state.durable.commands.size).toBe(0);
  });

  it("are left alone when they are gone, or elsewhere", () => {
    const puppet = prepared("shop-1");
    const code = (gid: string, patch = {}) => {
      const [reply] = ask(puppet, gid, patch).replies;
      return reply?.ok === false ? reply.code : "done";
    };
    expect(code("shop-2")).toBe("in-doubt-gone");
    expect(code("shop-1", { database: "other" })).toBe("in-doubt-gone");
    expect(code("shop-1", { cluster: "nowhere" })).toBe("unknown-cluster");
    expect(puppet.commands).toEqual([]);
  });
});
