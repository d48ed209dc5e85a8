import { setTimeout as sleep } from "node:timers/promises";
import type { RedisMoveReply, RedisNode, SlotRange } from "../../../../server/core/index.ts";
import { messageOf, monotonicMs } from "../../../shared/time.ts";
import { Failure } from "../../postgres/verbs/context.ts";
import { parseShard } from "../info.ts";
import { isReply, RedisConnection } from "../link.ts";
import type { RedisService } from "../service.ts";
import { findLaterOnTarget, type Keep } from "./both-sides.ts";
import type { RedisArgs, RedisVerbContext } from "./context.ts";

const deadlineMs = 3_000;
const migrateTimeoutMs = 5_000;
/** How long clients may wait behind one batch: the number of keys in a batch follows it. */
const batchTargetMs = 15;
const maxBatchKeys = 1_000;
/** Slots that are open at the same time. */
const slotsTogether = 32;
/** Under a limit fewer go together, so that clients wait often and little, and an end that is asked for is near. */
const groupsPerSecond = 4;

interface Lane {
  readonly service: RedisService;
  readonly source: { readonly node: RedisNode; readonly connection: RedisConnection };
  readonly target: { readonly node: RedisNode; readonly connection: RedisConnection };
  readonly others: readonly RedisConnection[];
  /** Slots that this source had open already: whatever it holds of them, it is this source that served it. */
  readonly begun: ReadonlySet<number>;
  readonly keep: Keep | null;
  batchKeys: number;
  keys: number;
  replaced: number;
}

/**
 * Moves slots, a few at a time. Nothing is remembered between them, and none of the steps minds being done twice: after a crash of any of the
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
  const own = connect(service);
  const lane: Lane = {
    service,
    begun: await readBegun(own),
    keep: args.keep ?? null,
    source: { node: args.source, connection: own },
    target: { node: args.target, connection: connect(args.target) },
    others: args.others.map(connect),
    batchKeys: args.batchKeys,
    keys: 0,
    replaced: 0,
  };
  const slots = expandSlots(args.slots);
  const pace = args.maxSlotsPerSecond;
  const together = pace === null ? slotsTogether : Math.min(slotsTogether, Math.ceil(pace / groupsPerSecond));
  let done = 0;
  let stopped = false;
  try {
    while (done < slots.length) {
      if (context.shouldStop() || !context.stillHolds()) {
        stopped = true;
        break;
      }
      const next = slots.slice(done, done + together);
      await moveTogether(lane, next);
      done += next.length;
      if (pace !== null) await sleep(startedAt + (done * 1_000) / pace - monotonicMs());
      context.progress(done / slots.length, { slots: done, keys: lane.keys });
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

/** Of a successor none is open: Redis does not tell a replica what its master was moving. */
async function readBegun(source: RedisConnection): Promise<ReadonlySet<number>> {
  try {
    const text = await send("source-lost", () => source.call<string>(deadlineMs, "CLUSTER", "NODES"));
    return new Set(parseShard(text, new Map())?.migrating.map(({ slot }) => slot));
  } catch (error) {
    source.drop();
    throw error;
  }
}

/** Moves a few slots side by side: a round trip costs the same for one as for all of them. */
async function moveTogether(lane: Lane, slots: readonly number[]): Promise<void> {
  const left = await openTarget(lane, slots);
  const { source, target, begun, keep } = lane;
  const sides = { source: source.connection, target: target.connection, keep };
  const taken = left.filter((slot) => !begun.has(slot));
  const later = await send("target-lost", () => findLaterOnTarget(sides, taken));
  const keysOf = await openSource(lane, left, later);
  await moveFirst(lane, keysOf);
  await giveSlots(lane, slots);
}

/** The target first: a client that is sent there must be let in. Answers with the slots that it does not own yet. */
async function openTarget(lane: Lane, slots: readonly number[]): Promise<readonly number[]> {
  const { source, target } = lane;
  const answers = await send("target-lost", () =>
    target.connection.pipeline(
      deadlineMs,
      slots.map((slot) => ["CLUSTER", "SETSLOT", slot, "IMPORTING", source.node.id]),
    ),
  );
  const left = slots.filter((_, index) => {
    const error = answers[index]?.[0] ?? null;
    if (error !== null && !/already the owner/i.test(messageOf(error))) throw failure("target-lost", error);
    return error === null;
  });
  if (left.length > 0) await nameOwner(lane, left);
  return left;
}

/**
 * What a server imports it learns no owner of by itself: when the giving master died and its successor was elected, these slots are nobody's to
 * the target, which calls the cluster down and takes no key. So it is told. Only slots that it imports: none of them is its own.
 */
async function nameOwner({ source, target }: Lane, importing: readonly number[]): Promise<void> {
  const info = await send("target-lost", () => target.connection.call<string>(deadlineMs, "CLUSTER", "INFO"));
  if (/^cluster_slots_assigned:16384\s*$/m.test(info)) return;
  await send("target-lost", () =>
    target.connection.all(
      deadlineMs,
      importing.map((slot) => ["CLUSTER", "SETSLOT", slot, "NODE", source.node.id]),
    ),
  );
}

/**
 * Answers with the first keys of each slot. `later`: copies that are older than the target's; they go in the same breath in which the slot is
 * opened, so that whoever asks for one is sent to the target.
 */
async function openSource(
  lane: Lane,
  slots: readonly number[],
  later: ReadonlyMap<number, readonly string[]>,
): Promise<ReadonlyMap<number, readonly string[]>> {
  const { source, target } = lane;
  const drops = slots.flatMap((slot) => (later.get(slot) ?? []).map((key) => ["DEL", key]));
  const all = await send("source-lost", () =>
    source.connection.pipeline(deadlineMs, [
      ...drops,
      ...slots.flatMap((slot) => [
        ["CLUSTER", "SETSLOT", slot, "MIGRATING", target.node.id],
        ["CLUSTER", "GETKEYSINSLOT", slot, lane.batchKeys],
      ]),
    ]),
  );
  const answers = all.slice(drops.length);
  const refused = slots.flatMap((slot, index) => {
    const error = answers[index * 2]?.[0] ?? null;
    return error === null ? [] : [{ slot, error }];
  });
  const [first] = refused;
  if (first !== undefined) {
    // Somebody else has it: the plan is out of date. What was opened for nothing is closed again.
    const close = refused.map(({ slot }) => ["CLUSTER", "SETSLOT", slot, "STABLE"]);
    await target.connection.pipeline(deadlineMs, close).catch(() => undefined);
    if (!/not the owner/i.test(messageOf(first.error))) throw failure("source-refused", first.error);
    throw new Failure("owner-changed", `slot ${first.slot} does not belong to ${source.node.instance} any more`);
  }
  return new Map(slots.map((slot, index) => [slot, (answers[index * 2 + 1]?.[1] as readonly string[]) ?? []]));
}

/** Slots whose keys fit into one batch go together; the rest, and whatever is in the way, one slot after the other. */
async function moveFirst(lane: Lane, keysOf: ReadonlyMap<number, readonly string[]>): Promise<void> {
  const full = [...keysOf].filter(([, keys]) => keys.length > 0);
  let budget = lane.batchKeys;
  const together = full.filter(([, keys]) => {
    budget -= keys.length;
    return budget >= 0;
  });
  const alone = full.filter((entry) => !together.includes(entry));
  const startedAt = monotonicMs();
  const answers = await send("source-lost", () =>
    lane.source.connection.pipeline(
      migrateTimeoutMs * 2,
      together.flatMap(([slot, keys]) => [
        migrate(lane, keys, false),
        ["CLUSTER", "GETKEYSINSLOT", slot, lane.batchKeys],
      ]),
    ),
  );
  if (monotonicMs() - startedAt > batchTargetMs * 4) lane.batchKeys = Math.max(1, Math.floor(lane.batchKeys / 2));
  for (const [index, [slot, keys]] of together.entries()) {
    const error = answers[index * 2]?.[0] ?? null;
    let next = (answers[index * 2 + 1]?.[1] as readonly string[] | undefined) ?? [];
    if (error === null) lane.keys += keys.length;
    else next = await clearTheWay(lane, slot, keys, error);
    while (next.length > 0) next = await moveBatch(lane, slot, next);
  }
  for (const [slot, keys] of alone) {
    let next = keys;
    while (next.length > 0) next = await moveBatch(lane, slot, next);
  }
}

async function clearTheWay(
  lane: Lane,
  slot: number,
  keys: readonly string[],
  error: Error,
): Promise<readonly string[]> {
  // The source passes it on: `ERR Target instance replied with error: BUSYKEY …`.
  if (!/\bBUSYKEY\b/.test(messageOf(error))) {
    throw failure(/^IOERR/.test(messageOf(error)) ? "target-lost" : "move-refused", error);
  }
  await replaceCopies(lane, keys);
  return readKeys(lane, slot);
}

/** The target holds all keys: its word goes first, then the source, then everybody else. */
async function giveSlots(lane: Lane, slots: readonly number[]): Promise<void> {
  const { source, target, others } = lane;
  const commands = slots.map((slot) => ["CLUSTER", "SETSLOT", slot, "NODE", target.node.id]);
  await send("target-lost", () => target.connection.all(deadlineMs, commands));
  // Whoever can't be told now learns it from the target's newer epoch.
  const tell = (connection: RedisConnection) => connection.pipeline(deadlineMs, commands).catch(() => undefined);
  await tell(source.connection);
  await Promise.all(others.map(tell));
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
  return clearTheWay(lane, slot, keys, error);
}

/**
 * A server was lost between copy and delete. This source had the slot open: while it has the key it is the one that served it, so its copy is the
 * newer one. (Where it had not, the later copy was found before it was opened.)
 */
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
