/**
 * Everything that reads and then writes runs as one script, by the server's own time. The lock is one key, set by `SET … NX PX`, whose value
 * names its owner; only a compare of that value renews or deletes it. Beside it lie the queue (order) and the waiters (until when their
 * places are kept).
 */
const prelude = `
local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function read(key)
  local value = redis.call('GET', key)
  return value and cjson.decode(value) or nil
end
local function first(lock, at)
  while true do
    local owner = redis.call('ZRANGE', lock .. ':queue', 0, 0)[1]
    if not owner then return nil end
    local waiter = redis.call('HGET', lock .. ':waiters', owner)
    if waiter and cjson.decode(waiter)['until'] > at then return owner end
    redis.call('ZREM', lock .. ':queue', owner)
    redis.call('HDEL', lock .. ':waiters', owner)
  end
end
local function leave(lock, owner)
  redis.call('ZREM', lock .. ':queue', owner)
  redis.call('HDEL', lock .. ':waiters', owner)
end
`;

/** KEYS: lock, index. ARGV: name, owner, holder, ttlMs, placeMs. Answers {1, token or -1, held, left} or {0, place, left}. */
export const attemptScript = `${prelude}
local lock, at = KEYS[1], now()
local held = read(lock)
if held and held.owner == ARGV[2] then return {1, held.token or -1, at - held.since, redis.call('PTTL', lock)} end
local nextOwner = first(lock, at)
if not held and (not nextOwner or nextOwner == ARGV[2]) then
  redis.call('SET', lock, cjson.encode({owner = ARGV[2], holder = ARGV[3], since = at}), 'NX', 'PX', ARGV[4])
  leave(lock, ARGV[2])
  redis.call('SADD', KEYS[2], ARGV[1])
  return {1, -1, 0, tonumber(ARGV[4])}
end
local left = held and redis.call('PTTL', lock) or 0
if tonumber(ARGV[5]) <= 0 then return {0, 0, left} end
local waiter = redis.call('HGET', lock .. ':waiters', ARGV[2])
local since = waiter and cjson.decode(waiter).since or at
if not waiter then
  redis.call('ZADD', lock .. ':queue', redis.call('INCR', lock .. ':places'), ARGV[2])
  redis.call('SADD', KEYS[2], ARGV[1])
end
redis.call('HSET', lock .. ':waiters', ARGV[2],
  cjson.encode({holder = ARGV[3], since = since, ['until'] = at + tonumber(ARGV[5])}))
for _, part in ipairs({':queue', ':waiters', ':places'}) do redis.call('PEXPIRE', lock .. part, 3600000) end
return {0, redis.call('ZRANK', lock .. ':queue', ARGV[2]) + 1, left}
`;

/** Gives the lease its token, only while it is still this owner's, and begins its time anew. KEYS: lock. ARGV: owner, token, ttlMs. */
export const confirmScript = `${prelude}
local held = read(KEYS[1])
if not held or held.owner ~= ARGV[1] then return 0 end
held.token = held.token or tonumber(ARGV[2])
redis.call('SET', KEYS[1], cjson.encode(held), 'XX', 'PX', ARGV[3])
return held.token
`;

/** KEYS: lock. ARGV: owner, token, ttlMs. Never shortens a lease. */
export const renewScript = `${prelude}
local held = read(KEYS[1])
if not held or held.owner ~= ARGV[1] or held.token ~= tonumber(ARGV[2]) then return -1 end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return redis.call('PTTL', KEYS[1])
`;

/** KEYS: lock. ARGV: owner ('' for whoever), token. */
export const releaseScript = `${prelude}
local held = read(KEYS[1])
if not held or held.token ~= tonumber(ARGV[2]) then return 0 end
if ARGV[1] ~= '' and held.owner ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`;

/** KEYS: lock. ARGV: owner. */
export const withdrawScript = `${prelude}
leave(KEYS[1], ARGV[1])
return 1
`;

/** KEYS: index. ARGV: prefix of the lock keys, limit. One JSON text per lock; forgets the names that nobody uses any more. */
export const listScript = `${prelude}
local at, found = now(), {}
local all = redis.call('SMEMBERS', KEYS[1])
table.sort(all)
for _, name in ipairs(all) do
  if #found >= tonumber(ARGV[2]) then break end
  local lock = ARGV[1] .. name
  first(lock, at)
  local held = read(lock)
  local entry = {name = name, waiters = {}}
  if held then
    entry.lease = {owner = held.owner, holder = held.holder, token = held.token, heldMs = at - held.since,
      leftMs = redis.call('PTTL', lock)}
  end
  for _, owner in ipairs(redis.call('ZRANGE', lock .. ':queue', 0, -1)) do
    local waiter = cjson.decode(redis.call('HGET', lock .. ':waiters', owner) or '{"until":0}')
    if waiter['until'] > at then
      table.insert(entry.waiters, {owner = owner, holder = waiter.holder, waitedMs = at - waiter.since})
    end
  end
  if held or #entry.waiters > 0 then table.insert(found, cjson.encode(entry)) else redis.call('SREM', KEYS[1], name) end
end
return found
`;
