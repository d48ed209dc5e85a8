import { type DocumentOf, getDocument, listDocuments, putDocument } from "../documents.ts";
import { appendAudit, appendTimeline, type Draft, finishCommand, getCommand, wakeAt } from "../draft.ts";
import type { CommandOutcome, CommandRecord } from "../recovery/command.ts";
import type { RedisDocument } from "./servers.ts";
import { findShard, readOwners, readShards, type Shard } from "./shards.ts";
import { compress, expand } from "./slots.ts";
import type { SlotRange } from "./status.ts";
import { patchRedis, sendCommand } from "./steps.ts";
import type { MigrationLane, SlotTransfer } from "./types.ts";
import type { RedisNode } from "./verbs.ts";

/**
 * Moving slots with clients going on. The document says what is wanted; what is left is read from the servers at every look, so that neither a
 * killed control plane, nor a killed agent, nor a failover in the middle of a slot needs a memory of its own.
 */

export type Migration = DocumentOf<"redis-migration">;

/** Slots of one command: a second or so of work, after which the next one is planned from what is seen. */
const slotsPerCommand = 256;
const batchKeys = 100;
const firstRetryMs = 200;
const maxRetryMs = 5_000;
const maxFailures = 60;
/** What a server refuses is refused again: a person is asked sooner. */
const maxRefusals = 8;

export function openMigration(draft: Draft, cluster: string): Migration | null {
  return listDocuments(draft, "redis-migration").find((each) => each.cluster === cluster) ?? null;
}

/** Slots of each transfer that are not where they should be; those in the middle of a move first. */
export function pendingSlots(shards: readonly Shard[], migration: Migration): readonly (readonly number[])[] {
  const owners = readOwners(shards);
  const open = openSlots(shards);
  return migration.transfers.map((transfer) => {
    const to = nodeIdsOf(migration, transfer.to);
    const from = nodeIdsOf(migration, transfer.from);
    const left = expand(transfer.slots).filter((slot) => {
      const owner = owners[slot] ?? null;
      if (owner === null || from.has(owner)) return true;
      // It has arrived; until every party has closed it, a client may still be sent around.
      return to.has(owner) && open.has(slot);
    });
    return left.sort((a, b) => Number(open.has(b)) - Number(open.has(a)) || a - b);
  });
}

function openSlots(shards: readonly Shard[]): ReadonlySet<number> {
  return new Set(
    shards.flatMap(({ status }) => [
      ...status.migrating.map(({ slot }) => slot),
      ...status.importing.map(({ slot }) => slot),
    ]),
  );
}

function nodeIdsOf(migration: Migration, shard: string): ReadonlySet<string> {
  return new Set(migration.shards.find((each) => each.id === shard)?.nodeIds ?? [shard]);
}

export function advanceMigration(draft: Draft, record: RedisDocument): void {
  const before = openMigration(draft, record.id);
  if (before === null) return;
  const shards = readShards(draft.state, record, draft.now);
  const migration = dropStrayLanes(draft, before, shards);
  const pending = pendingSlots(shards, migration);
  const left = pending.reduce((sum, slots) => sum + slots.length, 0);
  if (migration.lanes.length === 0) {
    if (migration.phase === "stopping") return endMigration(draft, record, migration, "aborted", left);
    if (left === 0) return endMigration(draft, record, migration, "done", left);
    if (hasGivenUp(migration)) return endMigration(draft, record, migration, "failed", left);
  }
  if (migration.phase === "stopping") return;
  if (draft.now.wallMs < migration.retryAt)
    return wakeAt(draft, draft.now.monoMs + migration.retryAt - draft.now.wallMs);
  if (draft.state.live.self.frozen === null) sendMoves(draft, record, migration, shards, pending);
}

function hasGivenUp({ failures, lastFailure }: Migration): boolean {
  if (failures >= maxFailures) return true;
  // Only a person can say more about it.
  if (failures > 0 && lastFailure?.code === "key-conflict") return true;
  return failures >= maxRefusals && lastFailure !== null && !lastFailure.code.endsWith("-lost");
}

/** A source that is not the master of its shard any more can't end its command: the shard's new master begins with the same slot. */
function dropStrayLanes(draft: Draft, migration: Migration, shards: readonly Shard[]): Migration {
  const kept = migration.lanes.filter((lane) => {
    if (getCommand(draft, lane.commandId) === null) return false;
    const planned = migration.shards.find((each) => each.id === lane.from);
    const shard = planned === undefined ? null : findShard(shards, planned);
    if (shard === null || shard.master.member.id === lane.source) return true;
    finishCommand(draft, lane.commandId, { status: "dropped", reason: "source-replaced" });
    return false;
  });
  if (kept.length === migration.lanes.length) return migration;
  const value = { ...migration, lanes: kept };
  putDocument(draft, value);
  return value;
}

/** One command for each source at a time: sources work side by side, a source's slots one after the other. */
function sendMoves(
  draft: Draft,
  record: RedisDocument,
  migration: Migration,
  shards: readonly Shard[],
  pending: readonly (readonly number[])[],
): void {
  const lanes = [...migration.lanes];
  const sources = new Set(migration.transfers.filter((_, index) => pending[index]?.length).map(({ from }) => from));
  const pace = paceOf(migration, sources.size);
  migration.transfers.forEach((transfer, index) => {
    const slots = (pending[index] ?? []).slice(0, Math.min(slotsPerCommand, Math.ceil(pace ?? slotsPerCommand)));
    if (slots.length === 0 || lanes.some((lane) => lane.from === transfer.from)) return;
    const lane = sendMove(draft, record, migration, transfer, shards, slots, pace);
    if (lane !== null) lanes.push(lane);
  });
  if (lanes.length === migration.lanes.length) return;
  putDocument(draft, { ...migration, lanes, commands: migration.commands + lanes.length - migration.lanes.length });
}

/** Each source's share of the limit, in slots a second. */
function paceOf({ maxSlotsPerSecond }: Migration, sources: number): number | null {
  return maxSlotsPerSecond === null ? null : maxSlotsPerSecond / Math.max(1, sources);
}

function sendMove(
  draft: Draft,
  record: RedisDocument,
  migration: Migration,
  transfer: SlotTransfer,
  shards: readonly Shard[],
  slots: readonly number[],
  maxSlotsPerSecond: number | null,
): MigrationLane | null {
  const plannedFrom = migration.shards.find((each) => each.id === transfer.from);
  const plannedTo = migration.shards.find((each) => each.id === transfer.to);
  const source = plannedFrom === undefined ? null : findShard(shards, plannedFrom);
  const target = plannedTo === undefined ? null : findShard(shards, plannedTo);
  // Between a crash and its election a shard has no master: it will.
  if (source === null || target === null || record.grantId === null) return null;
  const ranges: SlotRange[] = compress(slots);
  const command = sendCommand(draft, record, {
    node: source.master.member.node,
    actionId: migration.id,
    stepIndex: migration.commands,
    epoch: record.epoch,
    intentId: record.grantId,
    verb: {
      verb: "redis.move-slots",
      args: {
        source: nodeOf(source),
        target: nodeOf(target),
        others: shards.filter((shard) => shard !== source && shard !== target).map(nodeOf),
        slots: ranges,
        batchKeys,
        maxSlotsPerSecond,
        ...(migration.keep == null ? {} : { keep: migration.keep }),
      },
    },
  });
  return {
    commandId: command.id,
    from: transfer.from,
    to: transfer.to,
    slots: ranges,
    source: source.master.member.id,
    node: source.master.member.node,
    startedAt: draft.now.wallMs,
  };
}

function nodeOf(shard: Shard): RedisNode {
  const { id, host, port } = shard.master.member;
  return { instance: id, id: shard.id, host, port };
}

export function takeMoveOutcome(draft: Draft, command: CommandRecord, outcome: CommandOutcome): void {
  draft.state.live.redisMoves.delete(command.id);
  const migration = getDocument(draft, "redis-migration", command.actionId);
  if (migration === null) return;
  const lanes = migration.lanes.filter((lane) => lane.commandId !== command.id);
  if (outcome.status === "done") {
    const slots = numberOr(outcome.data.slots);
    putDocument(draft, {
      ...migration,
      lanes,
      slotsMoved: Math.min(migration.slotsTotal, migration.slotsMoved + slots),
      keysMoved: migration.keysMoved + numberOr(outcome.data.keys),
      keysReplaced: migration.keysReplaced + numberOr(outcome.data.replaced),
      failures: slots > 0 ? 0 : migration.failures,
      retryAt: 0,
    });
    return;
  }
  const failures = migration.failures + 1;
  const waitMs = Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(10, failures - 1));
  const { code, detail } = outcome;
  putDocument(draft, {
    ...migration,
    lanes,
    failures,
    lastFailure: { code, detail: detail.slice(0, 300), at: draft.now.wallMs },
    retryAt: draft.now.wallMs + waitMs,
  });
  tell(draft, migration, "redis-move-failed", { code, detail: detail.slice(0, 200), node: command.node });
}

function numberOr(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

/** The slot in flight of each source is brought to its end; the rest stays where it is. */
export function stopMigration(
  draft: Draft,
  record: RedisDocument,
  migration: Migration,
  by: string,
  reason: string,
): void {
  putDocument(draft, { ...migration, phase: "stopping", stoppedBy: by });
  for (const lane of migration.lanes) {
    sendCommand(draft, record, {
      node: lane.node,
      actionId: migration.id,
      stepIndex: migration.commands,
      epoch: record.epoch,
      intentId: record.grantId ?? "",
      verb: { verb: "redis.stop-moving", args: { instance: lane.source } },
    });
  }
  tell(draft, migration, "redis-migration-stopping", { by });
  audit(draft, record, migration, "redis-migration-stopping", by, reason);
}

function endMigration(
  draft: Draft,
  record: RedisDocument,
  migration: Migration,
  phase: "done" | "aborted" | "failed",
  left: number,
): void {
  const { wallMs } = draft.now;
  const slotsMoved = Math.max(0, migration.slotsTotal - left);
  const { transfers, shards } = migration;
  const value: Migration = { ...migration, phase, slotsMoved, closedAt: wallMs, lanes: [] };
  putDocument(draft, value);
  patchRedis(draft, record.id, {
    lastMigration: {
      id: migration.id,
      migration: migration.migration,
      phase,
      openedAt: migration.openedAt,
      closedAt: wallMs,
      slotsMoved,
      slotsTotal: migration.slotsTotal,
      keysMoved: migration.keysMoved,
      by: migration.by,
      failure: phase === "failed" ? migration.lastFailure : null,
      ...(migration.migration === "close" ? joinMoves(record, migration) : { transfers, shards }),
    },
  });
  const data = {
    slots: slotsMoved,
    of: migration.slotsTotal,
    keys: migration.keysMoved,
    durationMs: wallMs - migration.openedAt,
  };
  tell(draft, migration, `redis-migration-${phase}`, data);
  audit(draft, record, value, `redis-migration-${phase}`, migration.by, migration.reason);
}

/** What a close finishes was part of the move before it: moving back means both. */
function joinMoves({ lastMigration: last }: RedisDocument, { transfers, shards }: Migration) {
  if (last == null) return { transfers, shards };
  const known = new Set(last.transfers.flatMap((each) => expand(each.slots)));
  const others = transfers
    .map((each) => ({ ...each, slots: compress(expand(each.slots).filter((slot) => !known.has(slot))) }))
    .filter(({ slots }) => slots.length > 0);
  const named = new Set(last.shards.map(({ id }) => id));
  return {
    transfers: [...last.transfers, ...others],
    shards: [...last.shards, ...shards.filter(({ id }) => !named.has(id))],
  };
}

export function tell(
  draft: Draft,
  migration: Migration,
  kind: string,
  data: Readonly<Record<string, string | number | boolean | null>>,
): void {
  appendTimeline(draft, {
    incidentId: migration.incidentId,
    lane: "action",
    kind,
    subject: { kind: "cluster", id: migration.cluster },
    data: { ...data, migration: migration.id },
    actor: migration.by,
  });
}

export function audit(
  draft: Draft,
  record: RedisDocument,
  migration: Migration,
  verb: string,
  actor: string,
  reason: string,
): void {
  appendAudit(draft, {
    actor,
    actorRole: "operator",
    verb,
    subject: `redis:${record.id}`,
    before: null,
    after: {
      migration: migration.id,
      kind: migration.migration,
      slots: migration.slotsTotal,
      moved: migration.slotsMoved,
      keys: migration.keysMoved,
    },
    reason,
  });
}
