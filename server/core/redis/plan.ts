import { hashPlan } from "../plan-hash.ts";
import type { PlanCheck } from "../recovery/types.ts";
import { planSlotMoves } from "../ring/slot-moves.ts";
import type { State } from "../state.ts";
import type { Now } from "../time.ts";
import { findOpenSlots, type OpenSlot } from "./open-slots.ts";
import type { RedisDocument } from "./servers.ts";
import { findShard, readOwners, readShards, recordShard, type Shard } from "./shards.ts";
import { compress, countSlots, expand, slotCount } from "./slots.ts";
import type { MigrationKind, ShardRecord, SlotTransfer } from "./types.ts";

export interface MigrationRequest {
  readonly kind: MigrationKind;
  /** Drain: the shard's master (or any of its servers) by name. */
  readonly shard: string | null;
  /** Rebalance: weight by the master's name; 1 when it is not named. */
  readonly weights: Readonly<Record<string, number>>;
}

/** What a migration would do, judged now. Running it under another hash is refused. */
export interface MigrationPlan {
  readonly cluster: string;
  readonly migration: MigrationKind;
  readonly planHash: string;
  readonly runnable: boolean;
  readonly checks: readonly PlanCheck[];
  readonly transfers: readonly SlotTransfer[];
  readonly shards: readonly ShardRecord[];
  readonly drained: string | null;
  readonly slotsToMove: number;
  /** By the share of keys that lie in the slots to move; null where a source does not tell its keys. */
  readonly keysToMove: number | null;
  readonly bytesToMove: number | null;
  readonly before: readonly { readonly shard: string; readonly slots: number }[];
  readonly after: readonly { readonly shard: string; readonly slots: number }[];
}

type Moves = readonly { readonly slot: number; readonly from: string; readonly to: string }[];

export function planMigration(state: State, record: RedisDocument, request: MigrationRequest, now: Now): MigrationPlan {
  const shards = readShards(state, record, now);
  const owners = readOwners(shards);
  const drained = request.kind === "drain" ? findByServer(shards, request.shard) : null;
  const open = findOpenSlots(shards, record.lastMigration?.shards ?? []);
  const moves =
    request.kind === "reverse" ? planBack(record, shards, owners) : planForth(shards, owners, request, drained, open);
  const transfers = groupMoves(moves);
  const involved = new Set(transfers.flatMap((each) => [each.from, each.to]));
  const checks = checkMigration(state, record, request, shards, owners, transfers, drained, open);
  const after = countOwners(shards, applyMoves(owners, moves));
  const plan = {
    cluster: record.id,
    migration: request.kind,
    runnable: checks.every((check) => check.status !== "block"),
    checks,
    transfers,
    shards: shards.filter((shard) => involved.has(shard.id)).map(recordShard),
    drained: drained?.id ?? null,
    slotsToMove: moves.length,
    keysToMove: estimate(shards, transfers, (shard) => shard.master.status?.keys ?? null),
    bytesToMove: estimate(shards, transfers, (shard) => shard.master.status?.memoryBytes ?? null),
    before: countOwners(shards, owners),
    after,
  };
  return { ...plan, planHash: hashPlan({ transfers, blocked: checks.filter((check) => check.status === "block") }) };
}

function findByServer(shards: readonly Shard[], name: string | null): Shard | null {
  return (
    shards.find(
      (shard) => shard.master.member.id === name || shard.replicas.some((replica) => replica.member.id === name),
    ) ?? null
  );
}

/** Slots that an earlier move left open come first, the way they were going: left alone they would send clients around for ever. */
function planForth(
  shards: readonly Shard[],
  owners: readonly (string | null)[],
  request: MigrationRequest,
  drained: Shard | null,
  open: readonly OpenSlot[],
): Moves {
  if (shards.length === 0 || (request.kind === "drain" && (drained === null || shards.length < 2))) return [];
  const begun = open.flatMap(({ slot, from, to }) => (to === null || to === drained?.id ? [] : [{ slot, from, to }]));
  if (request.kind === "close") return begun;
  const settled = applyMoves(owners, begun);
  const weightOf = (shard: Shard): number =>
    shard === drained ? 0 : Math.max(0, request.weights[shard.master.member.id] ?? 1);
  if (shards.every((shard) => weightOf(shard) <= 0)) return begun;
  const targets =
    request.kind === "drain" && drained !== null
      ? drainTargets(shards, settled, drained)
      : shards.map((shard) => ({ node: shard.id, weight: weightOf(shard) }));
  const { moves } = planSlotMoves(settled, targets);
  const wanted = moves.flatMap(({ slot, from, to }) => (from === null ? [] : [{ slot, from, to }]));
  const again = new Set(wanted.map(({ slot }) => slot));
  return [...begun.filter(({ slot }) => !again.has(slot)), ...wanted];
}

/** Draining moves nothing but the drained shard's slots, unless the others can't take them evenly: the least loaded get them. */
function drainTargets(shards: readonly Shard[], owners: readonly (string | null)[], drained: Shard) {
  const others = shards.filter((shard) => shard !== drained);
  const held = new Map(others.map((shard) => [shard.id, owners.filter((owner) => owner === shard.id).length]));
  let free = owners.filter((owner) => owner === drained.id).length;
  // Water filling: each slot to the one that has the fewest.
  while (free > 0) {
    const [least] = [...held].sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1));
    if (least === undefined) break;
    held.set(least[0], least[1] + 1);
    free -= 1;
  }
  return shards.map((shard) => ({ node: shard.id, weight: held.get(shard.id) ?? 0 }));
}

/** The last migration backwards: whatever it brought over goes home, as far as it is still there. */
function planBack(record: RedisDocument, shards: readonly Shard[], owners: readonly (string | null)[]): Moves {
  const last = record.lastMigration;
  if (last == null) return [];
  return last.transfers.flatMap((transfer) => {
    const home = findShard(
      shards,
      last.shards.find((each) => each.id === transfer.from) ?? {
        id: transfer.from,
        nodeIds: [transfer.from],
        name: "",
      },
    );
    const there = findShard(
      shards,
      last.shards.find((each) => each.id === transfer.to) ?? { id: transfer.to, nodeIds: [transfer.to], name: "" },
    );
    if (home === null || there === null) return [];
    return expand(transfer.slots)
      .filter((slot) => owners[slot] === there.id)
      .map((slot) => ({ slot, from: there.id, to: home.id }));
  });
}

function groupMoves(moves: Moves): SlotTransfer[] {
  const grouped = new Map<string, { from: string; to: string; slots: number[] }>();
  for (const { slot, from, to } of moves) {
    const key = `${from}>${to}`;
    const group = grouped.get(key) ?? { from, to, slots: [] };
    group.slots.push(slot);
    grouped.set(key, group);
  }
  return [...grouped.values()].map(({ from, to, slots }) => ({ from, to, slots: compress(slots) }));
}

function applyMoves(owners: readonly (string | null)[], moves: Moves): (string | null)[] {
  const after = [...owners];
  for (const { slot, to } of moves) after[slot] = to;
  return after;
}

function countOwners(shards: readonly Shard[], owners: readonly (string | null)[]) {
  return shards.map((shard) => ({
    shard: shard.master.member.id,
    slots: owners.reduce((sum, owner) => sum + Number(owner === shard.id), 0),
  }));
}

function estimate(
  shards: readonly Shard[],
  transfers: readonly SlotTransfer[],
  figureOf: (shard: Shard) => number | null,
): number | null {
  let sum = 0;
  for (const transfer of transfers) {
    const shard = shards.find((each) => each.id === transfer.from);
    const figure = shard === undefined ? null : figureOf(shard);
    if (shard === undefined || figure === null || shard.status.slotCount === 0) return null;
    sum += (figure * countSlots(transfer.slots)) / shard.status.slotCount;
  }
  return Math.round(sum);
}

function checkMigration(
  state: State,
  record: RedisDocument,
  request: MigrationRequest,
  shards: readonly Shard[],
  owners: readonly (string | null)[],
  transfers: readonly SlotTransfer[],
  drained: Shard | null,
  open: readonly OpenSlot[],
): PlanCheck[] {
  const served = owners.filter((owner) => owner !== null).length;
  const failing = shards.filter((shard) => shard.status.state !== "ok").length;
  const moving = [...state.durable.documents.values()].some(
    (each) => each.kind === "redis-migration" && each.cluster === record.id,
  );
  const bare = shards.filter(
    (shard) => shard.replicas.length === 0 && transfers.some((each) => each.to === shard.id),
  ).length;
  // Keys of such a slot are on both sides: away from there it can go only when it has arrived. Of those without a goal nobody knows the other side.
  const inTheWay = request.kind === "reverse" ? open : open.filter(({ to }) => to !== null && to === drained?.id);
  const lost = open.filter(({ to }) => to === null).length;
  const check = (
    code: string,
    bad: boolean,
    value: string,
    limit: string,
    level: "warn" | "block" = "block",
  ): PlanCheck => ({
    code,
    status: bad ? level : "pass",
    value,
    limit,
    data: {},
  });
  return [
    check("redis-slots-served", served < slotCount, `${served}`, `${slotCount}`),
    check("redis-cluster-state", failing > 0, `${shards.length - failing} of ${shards.length}`, `${shards.length}`),
    check("redis-no-migration", moving, moving ? "1" : "0", "0"),
    check("redis-no-open-slots", inTheWay.length > 0, `${inTheWay.length}`, "0"),
    check("redis-open-slots-known", lost > 0, `${lost}`, "0", "warn"),
    check("redis-targets-have-replicas", bare > 0, `${bare} without`, "0 without", "warn"),
    check("redis-something-to-move", transfers.length === 0, `${transfers.length}`, "1"),
    ...(request.kind === "drain"
      ? [check("redis-shard-known", drained === null || shards.length < 2, drained?.master.member.id ?? "none", "1")]
      : []),
  ];
}
