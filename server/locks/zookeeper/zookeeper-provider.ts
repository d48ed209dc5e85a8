import {
  type LockAsk,
  type LockAttempt,
  type LockProvider,
  LockProviderDown,
  type LockRecord,
  type TokenLedger,
} from "../../ports/locks.ts";
import { LockMutex } from "./mutex.ts";
import { NoAnswer, ZooKeeperSession } from "./session.ts";

const sweepMs = 200;
/** An empty folder is kept a while: locks that are used all the time would otherwise make it anew each time. */
const folderKeptMs = 10_000;

export interface ZooKeeperLockOptions {
  readonly name: string;
  /** `host:port,host:port/chroot`. */
  readonly connection: string;
  readonly sessionTimeoutMs?: number;
  readonly ledger: TokenLedger;
  readonly monoMs: () => number;
}

/** A node of ours in the queue of a lock. The first in the queue holds it once it has a token. */
interface Place {
  readonly lock: string;
  readonly owner: string;
  readonly path: string;
  readonly data: NodeData;
  token: number | null;
  grantedAtMs: number;
  /** Of the lease when there is a token, else of the place in the queue. */
  untilMs: number;
}

interface NodeData {
  readonly owner: string;
  readonly holder: string;
  /** Wall clock of whoever made it: for people only. */
  readonly at: number;
  readonly token?: number;
}

const root = "/holdfast/locks";

export interface ZooKeeperLockProvider extends LockProvider {
  /** Of the present session; for tests that end it from outside. */
  readonly credentials: ZooKeeperSession["credentials"];
}

/**
 * Ephemeral sequential nodes (the lock recipe of ZooKeeper's documentation): the lowest number holds, each waiter watches the one before it. The nodes belong
 * to the control plane's session; the time to live of a single lease, which ZooKeeper doesn't know, is kept here by the monotonic clock.
 */
export function openZooKeeperLocks(options: ZooKeeperLockOptions): ZooKeeperLockProvider {
  const { name, ledger, monoMs } = options;
  const listeners: ((name: string | null) => void)[] = [];
  const freed = (lock: string | null): void => {
    for (const listener of listeners) listener(lock);
  };
  const places = new Map<string, Place>();
  const doomed = new Set<string>();
  /** Locks in whose folder a node of ours may lie that nobody knows of: its creation was never answered. */
  const unsure = new Set<string>();
  const emptySince = new Map<string, number>();
  const mutex = new LockMutex();
  const session = new ZooKeeperSession(options.connection, options.sessionTimeoutMs ?? 6_000, () => {
    // With the session went every node of it: holders learn of it at their next renewal, waiters make new places.
    places.clear();
    doomed.clear();
    unsure.clear();
    freed(null);
  });
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      throw new LockProviderDown(name, error.message, error);
    }
  };
  const queueOf = async (lock: string) => (await session.children(folderOf(lock))).toSorted(bySequence);

  const abandon = async (place: Place): Promise<void> => {
    if (places.get(keyOf(place.lock, place.owner)) === place) places.delete(keyOf(place.lock, place.owner));
    doomed.add(place.path);
    await removeDoomed(place.path);
    freed(place.lock);
  };
  const removeDoomed = async (path: string): Promise<void> => {
    await session.remove(path);
    doomed.delete(path);
    const lock = lockOf(path);
    emptySince.set(lock, monoMs());
  };

  const makePlace = async (ask: LockAsk): Promise<Place | null> => {
    const folder = folderOf(ask.name);
    const data: NodeData = { owner: ask.owner, holder: ask.holder, at: Date.now() };
    const create = () => session.create(`${folder}/n-`, JSON.stringify(data));
    unsure.add(ask.name);
    let path = await create();
    for (let tries = 0; path === "no-node" && tries < 3; tries++) {
      await session.makeFolder(folder);
      path = await create();
    }
    unsure.delete(ask.name);
    if (!path.startsWith("/")) return null;
    const now = monoMs();
    const place = { lock: ask.name, owner: ask.owner, path, data, token: null, grantedAtMs: now, untilMs: now + 1_000 };
    places.set(keyOf(ask.name, ask.owner), place);
    return place;
  };

  const settleUnsure = async (lock: string): Promise<void> => {
    if (!unsure.has(lock)) return;
    const known = new Set([...places.values()].map((place) => place.path));
    for (const child of await queueOf(lock)) {
      const path = `${folderOf(lock)}/${child}`;
      const node = known.has(path) ? null : await session.read(path);
      if (node?.mine) await session.remove(path);
    }
    unsure.delete(lock);
  };

  const attempt = async (ask: LockAsk): Promise<LockAttempt> => {
    await settleUnsure(ask.name);
    let place = places.get(keyOf(ask.name, ask.owner));
    if (place?.token != null && place.untilMs <= monoMs()) {
      await abandon(place);
      place = undefined;
    }
    const waitedBefore = place !== undefined;
    if (place === undefined) {
      if (ask.placeMs <= 0 && (await queueOf(ask.name)).length > 0) return refused(ask.name, 0);
      place = (await makePlace(ask)) ?? undefined;
    }
    if (place === undefined) throw new NoAnswer("the folder of the lock could not be made");
    if (place.token !== null) return granted(place);
    if (ask.placeMs > 0 || !waitedBefore) {
      place.untilMs = Math.max(place.untilMs, monoMs() + Math.max(ask.placeMs, 1_000));
    }
    const queue = await queueOf(ask.name);
    const index = queue.indexOf(place.path.slice(place.path.lastIndexOf("/") + 1));
    if (index === 0) return take(place, ask);
    if (index < 0 || ask.placeMs <= 0) {
      // A place that it had taken before is its own still: asking once without queueing gives nothing up.
      if (index < 0 || !waitedBefore) await abandon(place);
      return refused(ask.name, 0);
    }
    const before = `${folderOf(ask.name)}/${queue[index - 1]}`;
    if (!(await session.exists(before, () => freed(ask.name)))) freed(ask.name);
    // The first of the queue is the holder and takes no place in it, unless it has yet to come for the lock.
    const held = await hasToken(`${folderOf(ask.name)}/${queue[0]}`);
    return refused(ask.name, held ? index : index + 1);
  };
  const hasToken = async (path: string): Promise<boolean> => {
    const mine = [...places.values()].find((place) => place.path === path);
    if (mine !== undefined) return mine.token !== null;
    const node = await session.read(path);
    return node !== null && (JSON.parse(node.data) as NodeData).token !== undefined;
  };

  const take = async (place: Place, ask: LockAsk): Promise<LockAttempt> => {
    const token = await ledger.next();
    const startMs = monoMs();
    if ((await session.write(place.path, JSON.stringify({ ...place.data, token, at: Date.now() }))) !== "done") {
      places.delete(keyOf(place.lock, place.owner));
      return { ok: false, place: 0, leftMs: 0 };
    }
    place.token = token;
    place.grantedAtMs = startMs;
    place.untilMs = startMs + ask.ttlMs;
    return granted(place);
  };
  const granted = (place: Place): LockAttempt => {
    const now = monoMs();
    return { ok: true, token: place.token ?? 0, heldMs: now - place.grantedAtMs, leftMs: place.untilMs - now };
  };
  const refused = (lock: string, place: number): LockAttempt => {
    const holder = [...places.values()].find((each) => each.lock === lock && each.token !== null);
    return { ok: false, place, leftMs: holder === undefined ? 0 : Math.max(0, holder.untilMs - monoMs()) };
  };
  /** The place of a lease that still holds here; whether it holds at the ensemble is asked there. */
  const findLease = (lock: string, owner: string, token: number): Place | null => {
    const place = places.get(keyOf(lock, owner));
    return place !== undefined && place.token === token && place.untilMs > monoMs() ? place : null;
  };

  const evict = async (lock: string, token: number): Promise<boolean> => {
    const [first] = await queueOf(lock);
    if (first === undefined) return false;
    const path = `${folderOf(lock)}/${first}`;
    const node = await session.read(path);
    if (node === null || (JSON.parse(node.data) as NodeData).token !== token) return false;
    const mine = [...places.values()].find((place) => place.path === path);
    if (mine !== undefined) places.delete(keyOf(mine.lock, mine.owner));
    const gone = (await session.remove(path)) === "done";
    emptySince.set(lock, monoMs());
    freed(lock);
    return gone;
  };

  const list = async (limit: number): Promise<readonly LockRecord[]> => {
    const names = (await session.children(root)).map(decodeURIComponent).toSorted();
    const records: LockRecord[] = [];
    for (const lock of names) {
      if (records.length >= limit) break;
      const record = await readLock(lock);
      if (record.lease !== null || record.waiters.length > 0) records.push(record);
    }
    return records;
  };
  const readLock = async (lock: string): Promise<LockRecord> => {
    const wallMs = Date.now();
    const paths = (await queueOf(lock)).map((child) => `${folderOf(lock)}/${child}`);
    const nodes = await Promise.all(paths.map(async (path) => ({ path, node: await session.read(path) })));
    let lease: LockRecord["lease"] = null;
    const waiters: LockRecord["waiters"][number][] = [];
    for (const { path, node } of nodes) {
      if (node === null) continue;
      const { owner, holder, at, token } = JSON.parse(node.data) as NodeData;
      const age = Math.max(0, wallMs - at);
      const mine = [...places.values()].find((place) => place.path === path);
      const leftMs = mine === undefined ? 0 : Math.max(0, mine.untilMs - monoMs());
      if (token !== undefined && lease === null) lease = { owner, holder, token, heldMs: age, leftMs };
      else waiters.push({ owner, holder, waitedMs: age });
    }
    return { name: lock, lease, waiters };
  };

  const sweep = async (): Promise<void> => {
    const now = monoMs();
    for (const place of [...places.values()])
      if (place.untilMs <= now) await mutex.run(place.lock, () => abandon(place));
    for (const path of [...doomed]) await removeDoomed(path);
    for (const lock of [...unsure]) await mutex.run(lock, () => settleUnsure(lock));
    for (const [lock, since] of [...emptySince]) {
      if (since > now - folderKeptMs) continue;
      emptySince.delete(lock);
      await session.remove(folderOf(lock));
    }
  };
  const timer = startSweeping(sweep);

  return {
    name,
    kind: "zookeeper",
    promises: ["fair", "ends-with-session", "quorum"],
    get credentials() {
      return session.credentials;
    },
    attempt: (ask) => guard(() => mutex.run(ask.name, () => attempt(ask))),
    renew: (lock, owner, token, ttlMs) =>
      guard(async () => {
        const place = findLease(lock, owner, token);
        if (place === null) return null;
        const startMs = monoMs();
        if (!(await session.exists(place.path))) places.delete(keyOf(lock, owner));
        if (findLease(lock, owner, token) !== place) return null;
        place.untilMs = Math.max(place.untilMs, startMs + ttlMs);
        return place.untilMs - monoMs();
      }),
    release: (lock, owner, token) =>
      guard(async () => {
        const place = findLease(lock, owner, token);
        if (place === null) return false;
        await abandon(place);
        return true;
      }),
    evict: (lock, token) => guard(() => mutex.run(lock, () => evict(lock, token))),
    withdraw: (lock, owner) =>
      guard(async () => {
        const place = places.get(keyOf(lock, owner));
        if (place !== undefined && place.token === null) await mutex.run(lock, () => abandon(place));
      }),
    list: (limit) => guard(() => list(limit)),
    async health() {
      const before = performance.now();
      return session.exists("/").then(
        () => ({ ok: true, latencyMs: performance.now() - before, detail: "" }),
        (error: Error) => ({ ok: false, latencyMs: null, detail: error.message }),
      );
    },
    onFreed: (listener) => void listeners.push(listener),
    async close() {
      clearInterval(timer);
      session.close();
    },
  };
}

/** One sweep at a time; what fails now is tried again by the next. */
function startSweeping(sweep: () => Promise<void>): NodeJS.Timeout {
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    void sweep()
      .catch(() => {})
      .finally(() => {
        busy = false;
      });
  }, sweepMs);
  timer.unref();
  return timer;
}

const keyOf = (lock: string, owner: string): string => `${lock}\n${owner}`;
const folderOf = (lock: string): string => `${root}/${encodeURIComponent(lock)}`;
const lockOf = (path: string): string => decodeURIComponent(path.split("/")[3] ?? "");
const bySequence = (a: string, b: string): number => Number(a.slice(-10)) - Number(b.slice(-10));
