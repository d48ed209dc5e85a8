import { describe, expect, it } from "vitest";
import { createDetector } from "../detection/accrual.ts";
import { getDocument, putDocument } from "../documents.ts";
import { createDraft, type Draft } from "../draft.ts";
import { defaultPolicy } from "../policy/types.ts";
import { createState } from "../state.ts";
import type { NodeLive } from "../topology/types.ts";
import { advanceMigration, type Migration, takeMoveOutcome } from "./migration.ts";
import type { RedisDocument } from "./servers.ts";
import { countSlots } from "./slots.ts";
import type { SlotRange } from "./status.ts";
import type { MigrationLane, SlotTransfer } from "./types.ts";

const now = { monoMs: 60_000, wallMs: 1_700_000_000_000, entropy: "e" };
const names = ["a", "b", "c"];

/** What each master claims; one that is left out is not heard. */
type Claims = Readonly<Record<string, readonly SlotRange[]>>;

/** A move within three masters, as it stands when they claim `claims`. */
function open(limit: number | null, transfers: readonly SlotTransfer[], claims: Claims): Draft {
  const draft = createDraft(createState(defaultPolicy), now);
  const detector = { intervalMs: 250, mistakesPerNodeDay: 0.1, minSilenceMs: 1_000, maxSilenceMs: 5_000 };
  for (const [id, slots] of Object.entries(claims)) {
    const shard = { id, slots, configEpoch: 1, migrating: [], importing: [], masterId: null };
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
  const members = names.map((id, port) => [id, { id, node: id, host: "h", port, standing: "member" }]);
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
  } as unknown as RedisDocument);
  putDocument(draft, {
    kind: "redis-migration",
    id: "MIG-1",
    openedAt: now.wallMs,
    closedAt: null,
    cluster: "sessions",
    phase: "running",
    transfers,
    shards: names.map((id) => ({ id, nodeIds: [id], name: id })),
    maxSlotsPerSecond: limit,
    slotsTotal: 1,
    slotsMoved: 0,
    lanes: [],
    commands: 0,
    failures: 0,
    retryAt: 0,
  } as unknown as Migration);
  return draft;
}

/** What was sent by one look: who gives, how many slots, how fast. */
function look(draft: Draft) {
  const before = draft.send.length;
  advanceMigration(draft, getDocument(draft, "redis", "sessions") as RedisDocument);
  return draft.send.slice(before).flatMap(({ node, verb }) => {
    if (verb.verb !== "redis.move-slots") return [];
    return [{ from: node, slots: countSlots(verb.args.slots), pace: verb.args.maxSlotsPerSecond }];
  });
}

/** The command of this source is over; its slots are with `to` now. */
function finish(draft: Draft, from: string, to: string, claims: Claims): void {
  const lanes = getDocument(draft, "redis-migration", "MIG-1")?.lanes ?? [];
  const lane = lanes.find((each) => each.from === from) as MigrationLane;
  const command = draft.commands.get(lane.commandId);
  if (command === undefined) throw new Error(`${from} gives nothing to ${to}.`);
  for (const [id, slots] of Object.entries(claims)) {
    const shard = draft.state.live.nodes.get(id)?.redis[0]?.shard as unknown as { slots: readonly SlotRange[] };
    shard.slots = slots;
  }
  takeMoveOutcome(draft, command, { status: "done", data: { slots: countSlots(lane.slots) } } as never);
}

const aToC: SlotTransfer = { from: "a", to: "c", slots: [[0, 999]] };
const bToC: SlotTransfer = { from: "b", to: "c", slots: [[5_000, 5_039]] };
const whole: Claims = { a: [[0, 4_999]], b: [[5_000, 9_999]], c: [[10_000, 16_383]] };

describe("a limit of slots per second", () => {
  it("is shared by the sources, and a command holds a second of its share", () => {
    expect(look(open(300, [aToC, { ...bToC, slots: [[5_000, 5_999]] }], whole))).toEqual([
      { from: "a", slots: 150, pace: 150 },
      { from: "b", slots: 150, pace: 150 },
    ]);
  });

  it("is one source's alone, however many it gives to: those wait for each other", () => {
    const toB: SlotTransfer = { from: "a", to: "b", slots: [[1_000, 1_999]] };
    expect(look(open(200, [aToC, toB], whole))).toEqual([{ from: "a", slots: 200, pace: 200 }]);
  });

  it("goes to those that are left when a source has given everything", () => {
    const draft = open(100, [aToC, bToC], whole);
    expect(look(draft)).toEqual([
      { from: "a", slots: 50, pace: 50 },
      { from: "b", slots: 40, pace: 50 },
    ]);
    const after: Claims = {
      b: [[5_040, 9_999]],
      c: [
        [5_000, 5_039],
        [10_000, 16_383],
      ],
    };
    finish(draft, "b", "c", after);
    // The command under way keeps the share it was sent with; the sum never exceeds the limit.
    expect(look(draft)).toEqual([]);
    finish(draft, "a", "c", { a: [[50, 4_999]], c: [[0, 49], ...(after.c ?? [])] });
    expect(look(draft)).toEqual([{ from: "a", slots: 100, pace: 100 }]);
  });

  it("keeps the share of a source whose master is not heard: its successor may go on at any moment", () => {
    const { b: _, ...others } = whole;
    expect(look(open(100, [aToC, bToC], others))).toEqual([{ from: "a", slots: 50, pace: 50 }]);
  });

  it("may be less than a slot a second for each", () => {
    expect(look(open(1, [aToC, bToC], whole))).toEqual([
      { from: "a", slots: 1, pace: 0.5 },
      { from: "b", slots: 1, pace: 0.5 },
    ]);
  });

  it("is none when nobody set one", () => {
    expect(look(open(null, [aToC], whole))).toEqual([{ from: "a", slots: 256, pace: null }]);
  });
});
