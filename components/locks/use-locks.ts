"use client";
import { useQuery } from "@tanstack/react-query";
import type { LockProviderView, LocksView, LockView } from "../../server/protocol/index.ts";
import { apiGet } from "../data/api.ts";

const pollMs = 1_000;
/** Two missed answers: what is shown is old. */
export const staleAfterMs = 3_500;

/** Leases change many times a second and are the providers' own: they are asked for, not fed. */
export function useLocks() {
  return useQuery({
    queryKey: ["locks"],
    queryFn: ({ signal }) => apiGet<LocksView>("locks", {}, signal),
    refetchInterval: pollMs,
    retry: false,
  });
}

export interface PlacedLock extends LockView {
  readonly provider: string;
}

/** All locks of the providers that match, those with waiters first: there somebody is held up. */
export function listPlacedLocks(providers: readonly LockProviderView[], provider: string, text: string): PlacedLock[] {
  const wanted = text.trim().toLowerCase();
  const matches = (lock: LockView): boolean =>
    wanted === "" ||
    lock.name.toLowerCase().includes(wanted) ||
    (lock.holder?.label.toLowerCase().includes(wanted) ?? false) ||
    lock.waiters.some((waiter) => waiter.label.toLowerCase().includes(wanted));
  return providers
    .filter((each) => provider === "" || each.name === provider)
    .flatMap((each) => each.locks.filter(matches).map((lock) => ({ ...lock, provider: each.name })))
    .toSorted((a, b) => b.waiters.length - a.waiters.length || a.name.localeCompare(b.name));
}

export function countLocks(providers: readonly LockProviderView[]): {
  readonly held: number;
  readonly waiting: number;
} {
  const locks = providers.flatMap((each) => each.locks);
  return {
    held: locks.filter((lock) => lock.holder !== null).length,
    waiting: locks.reduce((sum, lock) => sum + lock.waiters.length, 0),
  };
}
