"use client";
import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import type { DocumentKind, DocumentOf } from "../../server/core/index.ts";
import type { EntityKind, EntityOf } from "./entity-store.ts";
import { type FeedStatus, STALE_AFTER_MS } from "./feed-client.ts";
import { useLive } from "./live-provider.tsx";
import { useNow } from "./use-now.ts";

const nothing: readonly never[] = [];

/** One entity, kept current; undefined while unknown. Only its own changes render. */
export function useEntity<K extends EntityKind>(kind: K, id: string | null | undefined): EntityOf[K] | undefined {
  const { store } = useLive();
  const subscribe = useCallback(
    (listener: () => void) => (id ? store.subscribe(kind, id, listener) : () => {}),
    [store, kind, id],
  );
  const read = () => (id ? store.get(kind, id) : undefined);
  return useSyncExternalStore(subscribe, read, () => undefined);
}

/** All entities of a kind, at most five times a second. */
export function useEntities<K extends EntityKind>(kind: K): readonly EntityOf[K][] {
  const { store } = useLive();
  const subscribe = useCallback((listener: () => void) => store.subscribeList(kind, listener), [store, kind]);
  return useSyncExternalStore(
    subscribe,
    () => store.list(kind),
    () => nothing as readonly EntityOf[K][],
  );
}

/** The open documents of a kind, kept current. */
export function useDocuments<K extends DocumentKind>(kind: K): readonly DocumentOf<K>[] {
  const views = useEntities("document");
  return useMemo(
    () => views.flatMap(({ document }) => (document.kind === kind ? [document as unknown as DocumentOf<K>] : [])),
    [views, kind],
  );
}

export const useSystem = () => useEntity("system", "system");

/** Phase and readiness of the feed; renders when they change, not on every frame. */
export function useFeedStatus(): FeedStatus {
  const { feed } = useLive();
  return useSyncExternalStore(feed.subscribe, feed.status, feed.status);
}

export interface Freshness {
  /** `live`: current. `stale`: two signs of life missed. `down`: no socket. `connecting`: nothing yet. */
  readonly state: "live" | "stale" | "down" | "connecting" | "ended";
  /** Age of the newest frame, milliseconds; null before the first. */
  readonly ageMs: number | null;
  readonly ready: boolean;
}

/** How far what is on screen can be trusted right now; looked at twice a second. */
export function useFreshness(): Freshness {
  const { feed } = useLive();
  useFeedStatus();
  useNow(500);
  const status = feed.status();
  const ageMs = status.lastFrameAtMs === null ? null : Math.max(0, performance.now() - status.lastFrameAtMs);
  const state =
    status.phase === "live"
      ? !status.ready
        ? "connecting"
        : ageMs !== null && ageMs > STALE_AFTER_MS
          ? "stale"
          : "live"
      : status.phase;
  return { state, ageMs, ready: status.ready };
}

/** Only whether the picture is current: renders when that turns, not twice a second. */
export function useIsFresh(): boolean {
  const { feed } = useLive();
  const subscribe = useCallback(
    (listener: () => void) => {
      const off = feed.subscribe(listener);
      const timer = setInterval(listener, 500);
      return () => {
        off();
        clearInterval(timer);
      };
    },
    [feed],
  );
  return useSyncExternalStore(
    subscribe,
    () => {
      const { phase, lastFrameAtMs, ready } = feed.status();
      return phase === "live" && ready && lastFrameAtMs !== null && performance.now() - lastFrameAtMs <= STALE_AFTER_MS;
    },
    () => false,
  );
}

/** Asks the server for the whole detail of a topic (`node:pg-a`) while mounted; it arrives in the query `[kind, id]`. */
export function useWatch(topic: string | null): void {
  const { feed } = useLive();
  useEffect(() => (topic === null ? undefined : feed.watch(topic)), [feed, topic]);
}

/** Calls back with the changed ids at every flush, without rendering: for canvases. */
export function useChanges(kind: EntityKind, listener: (ids: ReadonlySet<string> | null) => void): void {
  const { store } = useLive();
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => store.subscribeChanges(kind, (ids) => latest.current(ids)), [store, kind]);
}
