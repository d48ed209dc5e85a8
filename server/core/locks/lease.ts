/**
 * One lock as a pure state machine: the maths that every provider has to agree with. Times are milliseconds of one clock, whichever;
 * a lease holds while `now < until`.
 */
export interface Lease {
  /** Who asks, exactly: an id that only this asker knows. */
  readonly owner: string;
  /** Who holds it, for people. */
  readonly holder: string;
  readonly token: number;
  readonly since: number;
  readonly until: number;
}

export interface Waiter {
  readonly owner: string;
  readonly holder: string;
  readonly since: number;
  /** Its place is kept until then; every further attempt keeps it longer. */
  readonly until: number;
}

export interface Lock {
  readonly lease: Lease | null;
  /** First come, first served. */
  readonly waiters: readonly Waiter[];
}

export interface Ask {
  readonly owner: string;
  readonly holder: string;
  readonly ttlMs: number;
  /** How long the place in the queue is kept without a further attempt; 0: it does not queue. */
  readonly placeMs: number;
}

/** `place` counts from 1 for the first in the queue; 0 for one that does not queue. */
export type Answer =
  | { readonly ok: true; readonly token: number; readonly heldMs: number; readonly leftMs: number }
  | { readonly ok: false; readonly place: number; readonly leftMs: number };

export interface Step<T> {
  readonly lock: Lock;
  readonly answer: T;
}

export const freeLock: Lock = { lease: null, waiters: [] };

/** Without what has run out by `now`. */
export function dropExpired(lock: Lock, now: number): Lock {
  const lease = lock.lease !== null && lock.lease.until > now ? lock.lease : null;
  const waiters = lock.waiters.filter((waiter) => waiter.until > now);
  return lease === lock.lease && waiters.length === lock.waiters.length ? lock : { lease, waiters };
}

/**
 * Takes the lock, or keeps a place in the queue. Asking again is answered with the same grant or the same place. `nextToken` is used only
 * when the lock is granted anew.
 */
export function attempt(before: Lock, ask: Ask, now: number, nextToken: number): Step<Answer> {
  const lock = dropExpired(before, now);
  const { lease, waiters } = lock;
  if (lease !== null && lease.owner === ask.owner) return { lock, answer: describeGrant(lease, now) };
  const isNext = waiters.length === 0 || waiters[0]?.owner === ask.owner;
  if (lease === null && isNext) return grant(waiters, ask, now, nextToken);
  const leftMs = lease === null ? 0 : lease.until - now;
  if (ask.placeMs <= 0) return { lock, answer: { ok: false, place: 0, leftMs } };
  const queue = keepPlace(waiters, ask, now);
  const place = queue.findIndex((waiter) => waiter.owner === ask.owner) + 1;
  return { lock: { lease, waiters: queue }, answer: { ok: false, place, leftMs } };
}

function grant(waiters: readonly Waiter[], { owner, holder, ttlMs }: Ask, now: number, token: number): Step<Answer> {
  const lease: Lease = { owner, holder, token, since: now, until: now + ttlMs };
  const lock = { lease, waiters: waiters.filter((waiter) => waiter.owner !== owner) };
  return { lock, answer: describeGrant(lease, now) };
}

function describeGrant(lease: Lease, now: number): Answer {
  return { ok: true, token: lease.token, heldMs: now - lease.since, leftMs: lease.until - now };
}

function keepPlace(waiters: readonly Waiter[], { owner, holder, placeMs }: Ask, now: number): readonly Waiter[] {
  const until = now + placeMs;
  if (!waiters.some((waiter) => waiter.owner === owner)) return [...waiters, { owner, holder, since: now, until }];
  return waiters.map((waiter) =>
    waiter.owner === owner ? { ...waiter, until: Math.max(waiter.until, until) } : waiter,
  );
}

/** A lease that ran out is never renewed, even when nobody has taken the lock since. Null: lost. */
export function renew(before: Lock, owner: string, token: number, ttlMs: number, now: number): Step<number | null> {
  const lock = dropExpired(before, now);
  const { lease } = lock;
  if (lease === null || lease.owner !== owner || lease.token !== token) return { lock, answer: null };
  const until = Math.max(lease.until, now + ttlMs);
  return { lock: { ...lock, lease: { ...lease, until } }, answer: until - now };
}

/** True when this very lease was held and is not any more. */
export function release(before: Lock, owner: string, token: number, now: number): Step<boolean> {
  const lock = dropExpired(before, now);
  const held = lock.lease !== null && lock.lease.owner === owner && lock.lease.token === token;
  return { lock: held ? { ...lock, lease: null } : lock, answer: held };
}

/** Takes the lock from whoever holds it under `token`; a later holder keeps it. */
export function evict(before: Lock, token: number, now: number): Step<boolean> {
  const lock = dropExpired(before, now);
  const held = lock.lease !== null && lock.lease.token === token;
  return { lock: held ? { ...lock, lease: null } : lock, answer: held };
}

export function withdraw(before: Lock, owner: string, now: number): Step<undefined> {
  const lock = dropExpired(before, now);
  return { lock: { ...lock, waiters: lock.waiters.filter((waiter) => waiter.owner !== owner) }, answer: undefined };
}
