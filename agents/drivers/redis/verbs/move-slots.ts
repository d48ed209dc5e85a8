import type { RedisMoveReply, RedisNode, SlotRange } from "../../../../server/core/index.ts";
import { messageOf, monotonicMs } from "../../../shared/time.ts";
import { Failure } from "../../postgres/verbs/context.ts";
import { isReply, RedisConnection, replyCode } from "../link.ts";
import type { RedisService } from "../service.ts";
import type { RedisArgs, RedisVerbContext } from "./context.ts";

const deadlineMs = 3_000;
const migrateTimeoutMs = 5_000;
/** How long clients may wait behind one batch: the number of keys in a batch follows it. */
const batchTargetMs = 15;
const maxBatchKeys = 1_000;
/** For a replica of the target to have the keys before the slot is given to it; the move goes on without. */
const replicaWaitMs = 200;
const progressEverySlots = 8;

interface Lane {
  readonly service: RedisService;
  readonly source: { readonly node: RedisNode; readonly connection: RedisConnection };
  readonly target: { readonly node: RedisNode; readonly connection: RedisConnection };
  readonly others: readonly RedisConnection[];
  batchKeys: number;
  keys: number;
  replaced: number;
}

/**
 * Moves slots one after the other. Nothing is remembered between slots, and none of the steps minds being done twice: after a crash of any of the
 * parties the same slot is simply moved again, from where the servers say it stands.
 */
export async function moveSlots(
  context: RedisVerbContext,
  args: RedisArgs<"redis.move-slots">,
): Promise<Record<string, unknown>> {
  const startedAt = monotonicMs();
  const { service } = context.instance;
  const connect = ({ host, port }: { readonly host: string; readonly port: number }) =>
    new RedisConnection({ host, port, user: service.user, password: service.password });
  const lane: Lane = {
    service,
    source: { node: args.source, connection: connect(service) },
    target: { node: args.target, connection: connect(args.target) },
    others: args.others.map(connect),
    batchKeys: args.batchKeys,
    keys: 0,
    replaced: 0,
  };
  const slots = expandSlots(args.slots);
  let done = 0;
  let stopped = false;
  try {
    for (const slot of slots) {
      if (context.shouldStop() || !context.stillHolds()) {
        stopped = true;
        break;
      }
      await moveSlot(lane, slot);
      done += 1;
      if (done % progressEverySlots === 0) context.progress(done / slots.length, { slots: done, keys: lane.keys });
    }
  } finally {
    for (const connection of [lane.source.connection, lane.target.connection, ...lane.others]) connection.drop();
  }
  const reply: RedisMoveReply = {
    slots: done,
    keys: lane.keys,
    replaced: lane.replaced,
    ms: Math.round(monotonicMs() - startedAt),
    stopped,
  };
  return { ...reply };
}

export function expandSlots(ranges: readonly SlotRange[]): readonly number[] {
  return ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, index) => first + index));
}

async function moveSlot(lane: Lane, slot: number): Promise<void> {
  const { source, target } = lane;
  const owned = await openTarget(lane, slot);
  if (owned) return finishSlot(lane, slot);
  let keys = await openSource(lane, slot);
  if (keys === null) return finishSlot(lane, slot);
  while (keys.length > 0) keys = await moveBatch(lane, slot, keys);
  await send("target-lost", () =>
    target.connection.all(deadlineMs, [
      ["WAIT", 1, replicaWaitMs],
      ["CLUSTER", "SETSLOT", slot, "NODE", target.node.id],
    ]),
  );
  await announce(lane, slot, source.node);
}

/** The target first: a client that is sent there must be let in. True when the target owns the slot already. */
async function openTarget({ source, target }: Lane, slot: number): Promise<boolean> {
  try {
    await target.connection.call(deadlineMs, "CLUSTER", "SETSLOT", slot, "IMPORTING", source.node.id);
    return false;
  } catch (error) {
    if (/already the owner/i.test(messageOf(error))) return true;
    throw failure("target-lost", error);
  }
}

/** Answers with the first keys, or null when the source does not own the slot (any more). */
async function openSource(lane: Lane, slot: number): Promise<readonly string[] | null> {
  const { source, target } = lane;
  const [opened, keys] = await send("source-lost", () =>
    source.connection.pipeline(deadlineMs, [
      ["CLUSTER", "SETSLOT", slot, "MIGRATING", target.node.id],
      ["CLUSTER", "GETKEYSINSLOT", slot, lane.batchKeys],
    ]),
  );
  const refused = opened?.[0] ?? null;
  if (refused === null) return (keys?.[1] as readonly string[]) ?? [];
  if (!/not the owner/i.test(messageOf(refused))) throw failure("source-refused", refused);
  // Somebody else has it. If that is the target, only the others are left to be told; else the plan is out of date.
  await target.connection.call(deadlineMs, "CLUSTER", "SETSLOT", slot, "STABLE").catch(() => undefined);
  throw new Failure("owner-changed", `slot ${slot} does not belong to ${source.node.instance} any more`);
}

/** One `MIGRATE`, and the keys that come next. The source serves a key until its copy is confirmed: none is ever in neither place. */
async function moveBatch(lane: Lane, slot: number, keys: readonly string[]): Promise<readonly string[]> {
  const startedAt = monotonicMs();
  const [moved, next] = await send("source-lost", () =>
    lane.source.connection.pipeline(migrateTimeoutMs * 2, [
      migrate(lane, keys, false),
      ["CLUSTER", "GETKEYSINSLOT", slot, lane.batchKeys],
    ]),
  );
  lane.batchKeys = nextBatch(keys.length, monotonicMs() - startedAt);
  const error = moved?.[0] ?? null;
  if (error === null) {
    lane.keys += keys.length;
    return (next?.[1] as readonly string[]) ?? [];
  }
  if (replyCode(error) === "BUSYKEY") {
    await replaceCopies(lane, keys);
    return readKeys(lane, slot);
  }
  throw failure(/^IOERR/.test(messageOf(error)) ? "target-lost" : "move-refused", error);
}

/** A server was lost between copy and delete. While the source has the key it is the source that served it: its copy is the newer one. */
async function replaceCopies(lane: Lane, keys: readonly string[]): Promise<void> {
  const { target, source } = lane;
  const known = await send("target-lost", () =>
    target.connection.pipeline(
      deadlineMs,
      keys.flatMap((key) => [["ASKING"], ["EXISTS", key]]),
    ),
  );
  lane.replaced += known.filter(
    ([error, value], index) => index % 2 === 1 && error === null && Number(value) === 1,
  ).length;
  await send("source-lost", () => source.connection.call(migrateTimeoutMs * 2, ...spread(migrate(lane, keys, true))));
  lane.keys += keys.length;
}

async function readKeys(lane: Lane, slot: number): Promise<readonly string[]> {
  return send("source-lost", () =>
    lane.source.connection.call<readonly string[]>(deadlineMs, "CLUSTER", "GETKEYSINSLOT", slot, lane.batchKeys),
  );
}

function migrate(lane: Lane, keys: readonly string[], replace: boolean): readonly (string | number)[] {
  const { target, service } = lane;
  const { user, password } = service;
  const secret = password === null ? [] : user === null ? ["AUTH", password] : ["AUTH2", user, password];
  return [
    "MIGRATE",
    target.node.host,
    target.node.port,
    "",
    0,
    migrateTimeoutMs,
    ...(replace ? ["REPLACE"] : []),
    ...secret,
    "KEYS",
    ...keys,
  ];
}

/** The target holds all keys and owns the slot, or is about to: its word goes first, then the source, then everybody else. */
async function finishSlot(lane: Lane, slot: number): Promise<void> {
  await send("target-lost", () =>
    lane.target.connection.call(deadlineMs, "CLUSTER", "SETSLOT", slot, "NODE", lane.target.node.id),
  );
  await announce(lane, slot, lane.source.node);
}

/** Whoever can't be told now learns it from the target's newer epoch. */
async function announce({ source, target, others }: Lane, slot: number, _from: RedisNode): Promise<void> {
  const tell = (connection: RedisConnection) =>
    connection.call(deadlineMs, "CLUSTER", "SETSLOT", slot, "NODE", target.node.id).catch(() => undefined);
  await tell(source.connection);
  await Promise.all(others.map(tell));
}

export function nextBatch(keys: number, ms: number): number {
  if (ms <= 0) return Math.min(maxBatchKeys, keys * 2);
  const fitting = Math.floor((keys * batchTargetMs) / ms);
  return Math.max(1, Math.min(maxBatchKeys, fitting, keys * 2));
}

function spread(command: readonly (string | number)[]): [string, ...(string | number)[]] {
  const [name, ...args] = command;
  return [String(name), ...args];
}

async function send<T>(code: "source-lost" | "target-lost", work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw failure(code, error);
  }
}

function failure(code: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure(
    isReply(error) && code.endsWith("-lost") ? code.replace("-lost", "-refused") : code,
    messageOf(error),
  );
}
