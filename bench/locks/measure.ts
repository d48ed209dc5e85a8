import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { FencedResource, StaleTokenError } from "../../clients/node/locks.ts";

/** Something that gives locks. */
export interface Contender {
  /** Without one the resource has nothing to refuse by. */
  readonly hasToken: boolean;
  /** The token (0 when there is none); null: somebody else holds it. */
  acquire(name: string, owner: string, ttlMs: number): Promise<number | null>;
  release(name: string, owner: string, token: number): Promise<void>;
}

/** Pairs of acquire and release on locks of their own, `clients` at a time. */
export async function measurePairs(contender: Contender, clients: number, forMs: number) {
  const tookMs: number[] = [];
  const startedAt = performance.now();
  const work = async (client: number): Promise<void> => {
    while (performance.now() - startedAt < forMs) {
      const before = performance.now();
      const owner = randomUUID();
      const token = await contender.acquire(`bench/${client}`, owner, 10_000);
      if (token === null) throw new Error("a lock that nobody else wants was refused");
      await contender.release(`bench/${client}`, owner, token);
      tookMs.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => work(client)));
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  const pairsPerSecond = Math.round((tookMs.length / (performance.now() - startedAt)) * 1_000);
  return { pairsPerSecond, p50Ms: at(0.5), p95Ms: at(0.95) };
}

const ttlMs = 60;
const contenders = 6;
/** Every third holder is paused for twice its lease, between its last look and its write. */
const pausedEvery = 3;

/**
 * Holders of one lock write to one resource; some are paused beyond their lease before they write. A violation is a write that the resource takes
 * from a holder although somebody has written who asked for the lock only after this holder had got it: judged by when they asked and were
 * answered, not by tokens, so that both kinds are judged alike.
 */
export async function measurePauses(contender: Contender, forMs: number) {
  const name = `paused/${randomUUID()}`;
  const resource = new FencedResource(name);
  const startedAt = performance.now();
  const counts = { grants: 0, pausedHolders: 0, violations: 0, refusedWrites: 0 };
  let newestAskedAtMs = 0;
  const write = (askedAtMs: number, gotAtMs: number): void => {
    if (newestAskedAtMs > gotAtMs) counts.violations++;
    newestAskedAtMs = Math.max(newestAskedAtMs, askedAtMs);
  };
  const hold = async (owner: string, token: number, askedAtMs: number): Promise<void> => {
    const gotAtMs = performance.now();
    const isPaused = ++counts.grants % pausedEvery === 0;
    if (isPaused) counts.pausedHolders++;
    await sleep(isPaused ? ttlMs * 2 : 2);
    if (!contender.hasToken) write(askedAtMs, gotAtMs);
    else {
      await resource
        .write(token, () => write(askedAtMs, gotAtMs))
        .catch((error: unknown) => {
          if (!(error instanceof StaleTokenError)) throw error;
          counts.refusedWrites++;
        });
    }
    await contender.release(name, owner, token);
  };
  const work = async (): Promise<void> => {
    while (performance.now() - startedAt < forMs) {
      const owner = randomUUID();
      const askedAtMs = performance.now();
      const token = await contender.acquire(name, owner, ttlMs);
      if (token === null) await sleep(3);
      else await hold(owner, token, askedAtMs);
    }
  };
  await Promise.all(Array.from({ length: contenders }, work));
  return counts;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
