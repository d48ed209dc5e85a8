import { describe, expect, it } from "vitest";
import { createDetector } from "../detection/accrual.ts";
import { getDocument, putDocument } from "../documents.ts";
import { createDraft, type Draft, getAction } from "../draft.ts";
import { defaultPolicy } from "../policy/types.ts";
import { createState } from "../state.ts";
import type { NodeLive } from "../topology/types.ts";
import { advanceFailover, beginFailover } from "./failover.ts";
import { takeRedisOutcome } from "./outcomes.ts";
import type { RedisDocument } from "./servers.ts";

const now = { monoMs: 60_000, wallMs: 1_700_000_000_000, entropy: "e" };

/** A replica set of master a with b and c; its master answers, or its agent is gone. */
function open(masterAnswers: boolean): Draft {
  const draft = createDraft(createState(defaultPolicy), now);
  for (const id of ["a", "b", "c"]) {
    const connected = id !== "a" || masterAnswers;
    const detector = { intervalMs: 250, mistakesPerNodeDay: 0.1, minSilenceMs: 1_000, maxSilenceMs: 5_000 };
    draft.state.live.nodes.set(id, {
      connected,
      closedAtMs: connected ? null : now.monoMs,
      closeReason: "closed",
      lastFrameAtMs: now.monoMs,
      connectedAtMs: 0,
      statusAtMs: now.monoMs,
      detector: createDetector(detector),
      redis: [{ cluster: "carts", instance: id, role: id === "a" ? "master" : "replica", state: "running", offset: 1 }],
    } as unknown as NodeLive);
  }
  const members = ["a", "b", "c"].map((id, port) => [id, { id, node: id, host: "h", port, standing: "member" }]);
  putDocument(draft, {
    kind: "redis",
    id: "carts",
    openedAt: 0,
    closedAt: null,
    mode: "replica-set",
    primary: "a",
    k: 1,
    kInForce: 1,
    members: Object.fromEntries(members),
    epoch: 1,
    highestEpoch: 1,
    epochs: [],
    budgetUsedAt: [],
    commandStep: 0,
    configVersion: 0,
  } as unknown as RedisDocument);
  return draft;
}

function begin(draft: Draft, target: string | null): string {
  const record = getDocument(draft, "redis", "carts") as RedisDocument;
  const options = { verdict: null, incidentId: null, by: "admin", automatic: false, reason: "by hand", target };
  return beginFailover(draft, record, options).id;
}

const stepsOf = (draft: Draft, id: string) =>
  (getAction(draft, id)?.steps ?? []).map(({ kind, node }) => `${kind} ${node}`);

function answer(draft: Draft, id: string, node: string, offset: number): void {
  const step = getAction(draft, id)?.steps.find((each) => each.kind === "seal" && each.node === node);
  takeRedisOutcome(draft, node, step?.commandId ?? "", {
    status: "done",
    data: { offset, replicationId: "H" },
  } as never);
  advanceFailover(draft, id);
}

describe("a replica that is to take over by name", () => {
  it("goes on following a master that writes until the others are sealed, so that it is the furthest", () => {
    const draft = open(true);
    const id = begin(draft, "b");
    expect(stepsOf(draft, id)).toEqual(["seal c"]);
    answer(draft, id, "c", 100);
    expect(stepsOf(draft, id)).toEqual(["seal c", "seal b", "fence a"]);
    answer(draft, id, "b", 114);
    expect(stepsOf(draft, id).at(-1)).toBe("promote b");
  });

  it("still gives way to one that has more", () => {
    const draft = open(true);
    const id = begin(draft, "b");
    answer(draft, id, "c", 100);
    answer(draft, id, "b", 90);
    expect(stepsOf(draft, id).at(-1)).toBe("promote c");
  });

  it("waits for nobody when the master is gone, or when none is named", () => {
    const gone = open(false);
    expect(stepsOf(gone, begin(gone, "b"))).toEqual(["seal b", "seal c"]);
    const open2 = open(true);
    expect(stepsOf(open2, begin(open2, null))).toEqual(["seal b", "seal c", "fence a"]);
  });
});
