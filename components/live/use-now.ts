"use client";
import { useCallback, useSyncExternalStore } from "react";

/** One timer for every clock on the page, by interval. */
interface Ticker {
  now: number;
  timer: ReturnType<typeof setInterval> | null;
  readonly listeners: Set<() => void>;
}
const tickers = new Map<number, Ticker>();
let offsetMs = 0;

/** The server's wall clock minus the browser's, learned by the feed: ages are told by the server's clock. */
export function setClockOffset(ms: number): void {
  offsetMs = ms;
}

/** The server's wall clock, as well as we know it. */
export function serverNow(): number {
  return Date.now() + offsetMs;
}

function tickerOf(intervalMs: number): Ticker {
  const known = tickers.get(intervalMs);
  if (known !== undefined) return known;
  const made: Ticker = { now: serverNow(), timer: null, listeners: new Set() };
  tickers.set(intervalMs, made);
  return made;
}

/** The server's wall clock, renewed every `intervalMs`. 0 while rendering on the server. */
export function useNow(intervalMs = 1_000): number {
  const subscribe = useCallback(
    (listener: () => void) => {
      const ticker = tickerOf(intervalMs);
      ticker.listeners.add(listener);
      if (ticker.timer === null) {
        ticker.now = serverNow();
        ticker.timer = setInterval(() => {
          ticker.now = serverNow();
          for (const each of [...ticker.listeners]) each();
        }, intervalMs);
      }
      return () => {
        ticker.listeners.delete(listener);
        if (ticker.listeners.size === 0 && ticker.timer !== null) {
          clearInterval(ticker.timer);
          ticker.timer = null;
        }
      };
    },
    [intervalMs],
  );
  return useSyncExternalStore(
    subscribe,
    () => tickerOf(intervalMs).now,
    () => 0,
  );
}
