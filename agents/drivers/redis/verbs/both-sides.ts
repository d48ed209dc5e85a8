import { Failure } from "../../postgres/verbs/context.ts";
import { numberOf, parseInfo } from "../info.ts";
import type { RedisConnection } from "../link.ts";

/**
 * Keys that are on both sides of a slot whose source did not have it open itself: its predecessor moved them and died, or was moving them. The
 * successor has served its copies since, and the target may hold later ones: writes that reached it before the death, under a delete that the
 * successor never heard of. So neither side wins because of what it is. Who was served last wins; where that can't be seen, nobody does.
 */

export type Keep = "source" | "target";

const deadlineMs = 3_000;
const keysTogether = 200;
/** Redis tells ages in whole seconds: a difference below two of them is none. And what it loaded at its start it calls served then. */
const tellableSeconds = 2;

interface Sight {
  /** Of the value itself, whatever the order in which Redis keeps it. */
  readonly digest: string;
  /** Milliseconds to live; −1: for ever, −2: the key is gone. */
  readonly ttlMs: number;
  /** Since it was last served, seconds; null: not known (`maxmemory-policy` counts uses instead). */
  readonly idleSeconds: number | null;
}

/** The age is read first: every other command makes it nought. */
const script = `
local idle = redis.pcall('OBJECT', 'IDLETIME', KEYS[1])
if type(idle) ~= 'number' then idle = -1 end
local ttl = redis.call('PTTL', KEYS[1])
local kind = redis.call('TYPE', KEYS[1])['ok']
local text
if kind == 'hash' then
  local flat, pairs = redis.call('HGETALL', KEYS[1]), {}
  for i = 1, #flat, 2 do pairs[#pairs + 1] = #flat[i] .. ':' .. flat[i] .. '=' .. #flat[i + 1] .. ':' .. flat[i + 1] end
  table.sort(pairs)
  text = table.concat(pairs, ',')
elseif kind == 'set' then
  local all = redis.call('SMEMBERS', KEYS[1])
  for i = 1, #all do all[i] = #all[i] .. ':' .. all[i] end
  table.sort(all)
  text = table.concat(all, ',')
else
  text = redis.call('DUMP', KEYS[1]) or ''
end
return { redis.sha1hex(kind .. ' ' .. text), ttl, idle }`;

export interface Sides {
  readonly source: RedisConnection;
  readonly target: RedisConnection;
  /** What a person decided for keys of which it can't be seen; null: they end the move. */
  readonly keep: Keep | null;
}

/** Keys whose copy on the source is to go, because the target's is the later one. Changes nothing. @throws Failure `key-conflict` */
export async function findLaterOnTarget(
  sides: Sides,
  slots: readonly number[],
): Promise<ReadonlyMap<number, string[]>> {
  const later = new Map<number, string[]>();
  let uptimes: Uptimes | null = null;
  for (const slot of slots) {
    const count = Number(await sides.target.call(deadlineMs, "CLUSTER", "COUNTKEYSINSLOT", slot));
    if (count === 0) continue;
    uptimes ??= { source: await readUptime(sides.source), target: await readUptime(sides.target) };
    const keys = await sides.target.call<readonly string[]>(deadlineMs, "CLUSTER", "GETKEYSINSLOT", slot, count);
    for (let at = 0; at < keys.length; at += keysTogether) {
      const found = await judge(sides, uptimes, slot, keys.slice(at, at + keysTogether));
      later.set(slot, [...(later.get(slot) ?? []), ...found]);
    }
  }
  return later;
}

/** Seconds since each of the two was started. */
interface Uptimes {
  readonly source: number;
  readonly target: number;
}

async function readUptime(connection: RedisConnection): Promise<number> {
  const info = parseInfo(String(await connection.call(deadlineMs, "INFO", "server")));
  return numberOf(info, "uptime_in_seconds") ?? 0;
}

async function judge(sides: Sides, uptimes: Uptimes, slot: number, keys: readonly string[]): Promise<string[]> {
  const { source, target, keep } = sides;
  const known = await source.all(
    deadlineMs,
    keys.map((key) => ["EXISTS", key]),
  );
  const both = keys.filter((_, index) => Number(known[index]) === 1);
  if (both.length === 0) return [];
  // Only looking must not make a key look served; before Redis 7.2 that can't be said, and a second look may not tell any more.
  const quietly = (commands: readonly (readonly (string | number)[])[]) => [["CLIENT", "NO-TOUCH", "ON"], ...commands];
  const [here, there] = await Promise.all([
    source.pipeline(deadlineMs, quietly(both.map((key) => ["EVAL", script, 1, key]))),
    target.pipeline(deadlineMs, quietly(both.flatMap((key) => [["ASKING"], ["EVAL", script, 1, key]]))),
  ]);
  return both.filter((key, index) => {
    const own = readSight(here[index + 1], uptimes.source);
    const other = readSight(there[index * 2 + 2], uptimes.target);
    if (isSame(own, other)) return false;
    const winner = servedLast(own, other) ?? keep;
    if (winner !== null) return winner === "target";
    throw new Failure(
      "key-conflict",
      `key ${JSON.stringify(key.slice(0, 80))} of slot ${slot} has one value on the giving and another one on the receiving master, and which is the ` +
        "later one can't be seen: say which to keep, then move on",
    );
  });
}

function readSight(answer: readonly [Error | null, unknown] | undefined, uptime: number): Sight {
  const [error, value] = answer ?? [new Error("no answer"), null];
  if (error !== null) throw error;
  const [digest, ttl, idle] = value as readonly [unknown, unknown, unknown];
  const known = Number(idle) >= 0 && Number(idle) + tellableSeconds <= uptime;
  return { digest: String(digest), ttlMs: Number(ttl), idleSeconds: known ? Number(idle) : null };
}

function isSame(a: Sight, b: Sight): boolean {
  const sameLife = a.ttlMs < 0 || b.ttlMs < 0 ? a.ttlMs === b.ttlMs : Math.abs(a.ttlMs - b.ttlMs) <= 1_000;
  return a.digest === b.digest && sameLife;
}

/** Gone meanwhile (−2) on one side: it ran out or was deleted there, and is nobody's loss to decide. */
function servedLast(source: Sight, target: Sight): Keep | null {
  if (source.ttlMs === -2) return "source";
  if (source.idleSeconds === null || target.idleSeconds === null) return null;
  if (Math.abs(source.idleSeconds - target.idleSeconds) < tellableSeconds) return null;
  return source.idleSeconds < target.idleSeconds ? "source" : "target";
}
