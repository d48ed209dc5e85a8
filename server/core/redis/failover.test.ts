import { describe, expect, it } from "vitest";
import { createDetector } from "../detection/accrual.ts";
import { getDocument, putDocument } from "../documents.ts";
import { createDraft, type Draft, getAction } from "../draft.ts";
import { defaultPolicy } from "../policy/types.ts";
import type { Action } from "../recovery/types.ts";
import { createState } from "../state.ts";
import type { NodeLive } from "../topology/types.ts";
import { evaluateRedis } from "./evaluate.ts";
import { advanceFailover, beginFailover } from "./failover.ts";
import { wantedReplicas } from "./grant.ts";
import { takeRedisOutcome } from "./outcomes.ts";
import { canRegrant } from "./regrant.ts";
import type { RedisDocument, RedisServer } from "./servers.ts";

/** A replica set of master a with b and c; its master answers, or its agent is gone. */
function open(masterAnswers: boolean): Draft {
  const now = { monoMs: 60_000, wallMs: 1_700_000_000_000, entropy: "e" };
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
      redis: [
        {
          cluster: "carts",
          instance: id,
          role: id === "a" ? "master" : "replica",
          state: "running",
          offset: 1,
          probe: { ok: true, failingForMs: 0, reason: null },
          replicas: [],
        },
      ],
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
    grantId: "first",
    automation: { state: "on", by: "holdfast", reason: "default", at: 0 },
    maintenance: null,
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

/** Evaluates the record, and answers what was sent since. */
function look(draft: Draft): string[] {
  draft.send.length = 0;
  evaluateRedis(draft, "carts");
  return draft.send.map(({ node, verb, grant }) => `${verb.verb} ${node} ${grant.epoch}`);
}

function end(draft: Draft, id: string, kind: string, node: string, outcome: object): void {
  const step = getAction(draft, id)?.steps.findLast((each) => each.kind === kind && each.node === node);
  takeRedisOutcome(draft, node, step?.commandId ?? "", outcome as never);
  advanceFailover(draft, id);
}

const refused = { status: "failed", code: "no-answer", detail: "the server does not answer" };
const record = (draft: Draft) => getDocument(draft, "redis", "carts") as RedisDocument;

describe("a sealing that comes to nothing", () => {
  it("grants the old master again, above every epoch that was opened", () => {
    const draft = open(true);
    const id = begin(draft, null);
    answer(draft, id, "b", 100);
    end(draft, id, "seal", "c", refused);
    expect(stepsOf(draft, id).at(-1)).toBe("regrant a");
    expect(record(draft)).toMatchObject({ primary: "a", epoch: 3, highestEpoch: 3, kInForce: 1 });
    expect(draft.send.at(-1)).toMatchObject({ node: "a", grant: { epoch: 3 }, verb: { verb: "redis.grant" } });
    end(draft, id, "regrant", "a", { status: "done", data: {} });
    expect(getAction(draft, id)).toMatchObject({ phase: "compensated", failure: { code: "regranted" } });
    expect(record(draft).openActionId).toBeNull();
  });

  it("tells it once more when it could not, and asks a person in the end", () => {
    const draft = open(true);
    const id = begin(draft, null);
    end(draft, id, "seal", "b", refused);
    end(draft, id, "seal", "c", refused);
    for (let turn = 1; turn < 12 && getAction(draft, id)?.phase === "running"; turn += 1) {
      end(draft, id, "regrant", "a", refused);
      Object.assign(draft.now, { wallMs: draft.now.wallMs + 1_000 });
      advanceFailover(draft, id);
    }
    expect(stepsOf(draft, id).filter((step) => step === "regrant a")).toHaveLength(10);
    expect(getAction(draft, id)).toMatchObject({ phase: "needs-operator", failure: { code: "regrant-failed" } });
  });

  it("grants nobody while the agent of the old master is away, and the old master when it is back", () => {
    const draft = open(false);
    const id = begin(draft, null);
    end(draft, id, "seal", "b", refused);
    end(draft, id, "seal", "c", refused);
    expect(getAction(draft, id)).toMatchObject({ phase: "needs-operator", failure: { code: "no-quorum" } });
    expect(record(draft)).toMatchObject({ epoch: 1, highestEpoch: 2 });
    const back = open(true).state.live.nodes.get("a") as NodeLive;
    draft.state.live.nodes.set("a", back);
    look(draft);
    Object.assign(draft.now, { monoMs: draft.now.monoMs + 500 });
    for (const live of draft.state.live.nodes.values())
      Object.assign(live, { statusAtMs: draft.now.monoMs, lastFrameAtMs: draft.now.monoMs });
    expect(look(draft)).toContain("redis.grant a 3");
    expect(record(draft)).toMatchObject({ primary: "a", epoch: 3, highestEpoch: 3 });
  });

  it("never grants the old one again once a promote may have left", () => {
    const draft = open(true);
    const id = begin(draft, null);
    answer(draft, id, "b", 100);
    answer(draft, id, "c", 100);
    end(draft, id, "promote", "b", refused);
    expect(stepsOf(draft, id)).not.toContain("regrant a");
    expect(record(draft)).toMatchObject({ primary: "b", epoch: 2 });
    expect(canRegrant(draft, { ...(getAction(draft, id) as Action), promoteSent: false })).toBe(false);
  });
});

describe("how many replicas have to confirm", () => {
  const rowsOf = (...rows: { port: number; online: boolean; offset: number }[]) =>
    ({ status: { replicas: rows.map((row) => ({ host: "h", lagMs: 0, ...row })) } }) as unknown as RedisServer;
  const set = (kInForce: number, k = 2) => ({ ...record(open(true)), k, kInForce }) as RedisDocument;
  const b = { port: 1, online: true, offset: 90 };

  it("grows only with replicas that are online and have finished their synchronization", () => {
    expect(wantedReplicas(set(1), rowsOf(b, { port: 2, online: false, offset: 0 }))).toBe(1);
    expect(wantedReplicas(set(1), rowsOf(b, { port: 2, online: true, offset: 0 }))).toBe(1);
    expect(wantedReplicas(set(1), rowsOf(b, { port: 2, online: true, offset: 88 }))).toBe(2);
    expect(wantedReplicas(set(0), rowsOf(b))).toBe(1);
    // Somebody else's replica is none of those that are counted.
    expect(wantedReplicas(set(0), rowsOf({ ...b, port: 9 }))).toBe(0);
  });

  it("does not fall for a moment without a connection: only when fewer are counted", () => {
    expect(wantedReplicas(set(2), rowsOf(b))).toBe(2);
    const { members } = set(2);
    const c = { ...members.c, standing: "fenced" } as RedisDocument["members"][string];
    expect(wantedReplicas({ ...set(2), members: { ...members, c } }, rowsOf(b))).toBe(1);
  });
});
