/**
 * The ring library beside npm's `hashring` and `k mod n`: how even 100 equal nodes are loaded, how many keys one node's coming or going moves
 * against the least possible, and how many keys a second are located. Every figure is counted on the same string keys; none is an assertion.
 */
import { pathToFileURL } from "node:url";
import HashRing from "hashring";
import { buildRing } from "../../server/core/ring/build-ring.ts";
import { hashKey } from "../../server/core/ring/hash.ts";
import { locate } from "../../server/core/ring/locate.ts";

const NODES = 100;
const KEYS = 1_000_000;
/** The first of them, for what is done many times: a peer that hashes with MD5 takes nearly 10 µs for one. */
const FEWER_KEYS = 200_000;
const ROUNDS = 5;
/** Nodes whose going is tried, spread over the list: `k mod n` depends on which one goes. */
const CHANGES = 5;

export type LibraryFigures = {
  /** Fullest node over the mean, in keys. */
  readonly balance: number;
  /** Keys moved when one of the nodes goes and when it comes back, over the fewest (1/n of them). */
  readonly movementRatio: number;
  readonly lookupsPerSecond: number;
};

export type LibraryResult = LibraryFigures & {
  readonly nodes: number;
  readonly vnodes: number;
  readonly loadBound: number;
  readonly keys: number;
  readonly buildMs: number;
  readonly peer: { readonly hashring: LibraryFigures; readonly modulo: LibraryFigures };
};

const VNODES = 2_048;
const LOAD_BOUND = 0.02;

type Locator = (key: string) => string;
type Maker = (ids: readonly string[]) => Locator;

const ours: Maker = (ids) => {
  const nodes = ids.map((id) => ({ id, weight: 1, zone: null }));
  const ring = buildRing({ nodes, vnodes: VNODES, seed: 0, loadBound: LOAD_BOUND });
  return (key) => locate(ring, key) as string;
};

/** As it comes, without its cache of the last 5,000 keys: that one answers only for keys asked before. */
const hashring: Maker = (ids) => {
  const ring = new HashRing(ids, "md5", { "max cache size": 1 });
  return (key) => ring.get(key);
};

const modulo: Maker = (ids) => (key) => ids[hashKey(key) % ids.length] as string;

export function measureLibrary(): LibraryResult {
  const ids = Array.from({ length: NODES }, (_, i) => `10.0.${i >> 4}.${i}:6379`);
  const keys = Array.from({ length: KEYS }, (_, i) => `user:${i * 7919}:cart`);
  const startedAt = performance.now();
  ours(ids);
  const buildMs = performance.now() - startedAt;
  return {
    ...measure(ours, ids, keys),
    nodes: NODES,
    vnodes: VNODES,
    loadBound: LOAD_BOUND,
    keys: KEYS,
    buildMs: Math.round(buildMs),
    peer: { hashring: measure(hashring, ids, keys), modulo: measure(modulo, ids, keys) },
  };
}

function measure(make: Maker, ids: readonly string[], keys: readonly string[]): LibraryFigures {
  const locator = make(ids);
  const owners = keys.map(locator);
  const counts = new Map<string, number>();
  for (const owner of owners) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  let moved = 0;
  for (let c = 0; c < CHANGES; c++) {
    const without = make(ids.filter((_, i) => i !== Math.floor((c * ids.length) / CHANGES)));
    // Going and coming back move the same keys.
    for (let i = 0; i < FEWER_KEYS; i++) if (without(keys[i]!) !== owners[i]) moved++;
  }
  return {
    balance: round((Math.max(...counts.values()) * ids.length) / keys.length),
    movementRatio: round((moved / CHANGES / FEWER_KEYS) * ids.length),
    lookupsPerSecond: lookupsPerSecond(locator, keys.slice(0, FEWER_KEYS)),
  };
}

/** The median of a few rounds after one to warm up, by the processor time they took: what else the machine does is no one's merit. */
function lookupsPerSecond(locator: Locator, keys: readonly string[]): number {
  const rates = Array.from({ length: ROUNDS + 1 }, () => {
    const startedAt = process.cpuUsage();
    let sink = 0;
    for (const key of keys) sink += locator(key).length;
    if (sink === 0) throw new Error("Nobody owns any key.");
    const { user, system } = process.cpuUsage(startedAt);
    return (keys.length / (user + system)) * 1e6;
  });
  const sorted = rates.slice(1).sort((a, b) => a - b);
  return Math.round(sorted[Math.floor(ROUNDS / 2)]!);
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(JSON.stringify(measureLibrary()));
}
