import { describe, expect, it } from "vitest";
import { createDetector } from "../detection/accrual.ts";
import { putDocument } from "../documents.ts";
import { createDraft, type Draft } from "../draft.ts";
import { defaultPolicy } from "../policy/types.ts";
import { createState } from "../state.ts";
import type { NodeLive } from "../topology/types.ts";
import { advanceMigration, openMigration } from "./migration.ts";
import { findOpenSlots } from "./open-slots.ts";
import { planMigration } from "./plan.ts";
import { answerRedisRequest } from "./requests.ts";
import type { RedisDocument } from "./servers.ts";
import { readShards } from "./shards.ts";
import { expand } from "./slots.ts";
import type { SlotRange } from "./status.ts";
import type { LastMigration, MigrationKind } from "./types.ts";

const now = { monoMs: 60_000, wallMs: 1_700_000_000_000, entropy: "e" };

interface Sees {
  readonly slots: readonly SlotRange[];
  readonly migrating?: readonly (readonly [number, string])[];
  readonly importing?: readonly (readonly [number, string])[];
}

/** The last move went from a (and its replica a2) to b. */
const last = {
  id: "MIG-1",
  migration: "rebalance",
  phase: "failed",
  slotsMoved: 10,
  slotsTotal: 100,
  transfers: [{ from: "a", to: "b", slots: [[0, 99]] }],
  shards: [
    { id: "a", nodeIds: ["a", "a2"], name: "a" },
    { id: "b", nodeIds: ["b", "b2"], name: "b" },
  ],
} as unknown as LastMigration;

function open(masters: Readonly<Record<string, Sees>>): Draft {
  const draft = createDraft(createState(defaultPolicy), now);
  say(draft, masters);
  const members = Object.keys(masters).map((id, port) => [id, { id, node: id, host: "h", port, standing: "member" }]);
  putDocument(draft, {
    kind: "redis",
    id: "sessions",
    openedAt: 0,
    closedAt: null,
    mode: "cluster",
    members: Object.fromEntries(members),
    epoch: 1,
    grantId: "g",
    commandStep: 0,
    configVersion: 0,
    lastMigration: last,
  } as unknown as RedisDocument);
  return draft;
}

function say(draft: Draft, masters: Readonly<Record<string, Sees>>): void {
  const detector = { intervalMs: 250, mistakesPerNodeDay: 0.1, minSilenceMs: 1_000, maxSilenceMs: 5_000 };
  for (const [id, { slots, migrating = [], importing = [] }] of Object.entries(masters)) {
    const shard = {
      id,
      slots,
      slotCount: expand(slots).length,
      configEpoch: 1,
      state: "ok",
      migrating: migrating.map(([slot, to]) => ({ slot, to })),
      importing: importing.map(([slot, from]) => ({ slot, from })),
      masterId: null,
    };
    const status = { cluster: "sessions", instance: id, role: "master", state: "running", shard };
    draft.state.live.nodes.set(id, {
      connected: true,
      lastFrameAtMs: now.monoMs,
      connectedAtMs: 0,
      statusAtMs: now.monoMs,
      detector: createDetector(detector),
      redis: [status],
    } as unknown as NodeLive);
  }
}

const recordOf = (draft: Draft) => draft.documents.get("redis:sessions") as RedisDocument;
const find = (masters: Readonly<Record<string, Sees>>) => {
  const draft = open(masters);
  return findOpenSlots(readShards(draft.state, recordOf(draft), now), last.shards);
};
const plan = (draft: Draft, kind: MigrationKind, shard: string | null = null) => {
  const made = planMigration(draft.state, recordOf(draft), { kind, shard, weights: {} }, now);
  return { ...made, blocked: made.checks.filter(({ status }) => status === "block").map(({ code }) => code) };
};

const low: SlotRange = [0, 8_191];
const high: SlotRange = [8_192, 16_383];

describe("slots that a move left open", () => {
  it("are seen on either side, each the way it was going", () => {
    expect(find({ a: { slots: [low], migrating: [[7, "b"]] }, b: { slots: [high], importing: [[7, "a"]] } })).toEqual([
      { slot: 7, from: "a", to: "b" },
    ]);
    // After the election only the receiving master knows of it.
    expect(find({ a2: { slots: [low] }, b: { slots: [high], importing: [[7, "a"]] } })).toEqual([
      { slot: 7, from: "a2", to: "b" },
    ]);
    // And after the receiving master's: it goes to its successor.
    expect(find({ a: { slots: [low], migrating: [[7, "b"]] }, b2: { slots: [high] } })).toEqual([
      { slot: 7, from: "a", to: "b2" },
    ]);
    expect(find({ a: { slots: [low], migrating: [[7, "x"]] }, b: { slots: [high] } })).toEqual([
      { slot: 7, from: "a", to: null },
    ]);
    // It has arrived; only the giver does not know it.
    expect(find({ a: { slots: [low], migrating: [[9_000, "b"]] }, b: { slots: [high] } })).toEqual([
      { slot: 9_000, from: "a", to: "b" },
    ]);
    expect(find({ a: { slots: [low] }, b: { slots: [high] } })).toEqual([]);
  });

  it("are all that closing moves, and block moving back until then", () => {
    const draft = open({ a2: { slots: [low] }, b: { slots: [high], importing: [[7, "a"]] } });
    expect(plan(draft, "close")).toMatchObject({
      runnable: true,
      slotsToMove: 1,
      transfers: [{ from: "a2", to: "b", slots: [[7, 7]] }],
    });
    expect(plan(draft, "reverse").blocked).toContain("redis-no-open-slots");
    expect(plan(draft, "drain", "b").blocked).toContain("redis-no-open-slots");
    // A move that goes the same way takes them along.
    expect(plan(draft, "rebalance").transfers).toContainEqual({ from: "a2", to: "b", slots: [[7, 7]] });
  });

  it("there is nothing to close without them", () => {
    const draft = open({ a: { slots: [low] }, b: { slots: [high] } });
    expect(plan(draft, "close").blocked).toEqual(["redis-something-to-move"]);
  });

  it("once closed, the way back is that of both moves", () => {
    const draft = open({ a2: { slots: [low] }, b: { slots: [high], importing: [[200, "a"]] } });
    const { planHash } = plan(draft, "close");
    const request = {
      kind: "redis-migrate",
      cluster: "sessions",
      migration: "close",
      shard: null,
      weights: {},
    } as const;
    const asked = { ...request, maxSlotsPerSecond: null, keep: "target", planHash, reason: "tidy" } as const;
    expect(answerRedisRequest(draft, asked, "admin").ok).toBe(true);
    advanceMigration(draft, recordOf(draft));
    expect(draft.send.at(-1)?.verb).toMatchObject({
      verb: "redis.move-slots",
      args: { slots: [[200, 200]], keep: "target" },
    });
    const migration = openMigration(draft, "sessions");
    putDocument(draft, { ...migration, lanes: [] } as never);
    const after: SlotRange[] = [[0, 99], [200, 200], high];
    say(draft, {
      a2: {
        slots: [
          [100, 199],
          [201, 8_191],
        ],
      },
      b: { slots: after },
    });
    advanceMigration(draft, recordOf(draft));
    expect(recordOf(draft).lastMigration).toMatchObject({ migration: "close", phase: "done", slotsMoved: 1 });
    const back = plan(draft, "reverse");
    expect(back.blocked).toEqual([]);
    expect(back.transfers.map(({ from, to, slots }) => [from, to, slots])).toEqual([
      [
        "b",
        "a2",
        [
          [0, 99],
          [200, 200],
        ],
      ],
    ]);
  });
});
