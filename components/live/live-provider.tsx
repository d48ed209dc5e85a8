"use client";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import type { FeedFrame } from "../../server/protocol/index.ts";
import { applyToDetails } from "./cache-details.ts";
import { createEntityStore, type EntityStore } from "./entity-store.ts";
import { createFeedClient, type FeedClient, type SocketLike } from "./feed-client.ts";
import { setClockOffset } from "./use-now.ts";

interface Live {
  readonly store: EntityStore;
  readonly feed: FeedClient;
}

const Context = createContext<Live | null>(null);

function createLive(client: QueryClient): Live {
  const store = createEntityStore({
    frame: (run) => {
      if (document.visibilityState === "hidden") setTimeout(run, 200);
      else requestAnimationFrame(run);
    },
    timer: (run, delayMs) => void setTimeout(run, delayMs),
    nowMs: () => performance.now(),
  });
  const feed: FeedClient = createFeedClient({
    openSocket: () => {
      const scheme = window.location.protocol === "https:" ? "wss" : "ws";
      return new WebSocket(`${scheme}://${window.location.host}/live`) as unknown as SocketLike;
    },
    nowMs: () => performance.now(),
    wallMs: () => Date.now(),
    setTimer: (run, delayMs) => window.setTimeout(run, delayMs),
    clearTimer: (timer) => window.clearTimeout(timer),
    onFrame: (frame) => {
      if (frame.t === "pong") setClockOffset(feed.status().clockOffsetMs);
      else takeFrame(client, store, frame);
    },
  });
  return { store, feed };
}

function takeFrame(client: QueryClient, store: EntityStore, frame: FeedFrame): void {
  if (frame.t === "snapshot") {
    store.replaceAll(frame.entities);
    // The details on screen may have missed entries that a snapshot does not carry.
    void client.invalidateQueries({ queryKey: ["incident"] });
    void client.invalidateQueries({ queryKey: ["incidents"] });
  } else if (frame.t === "changes") {
    store.apply(frame.put, frame.removed);
    reportLatency(frame.originWallMs);
  } else if (frame.t === "ended") {
    void client.invalidateQueries({ queryKey: ["session"] });
  }
  applyToDetails(client, frame);
}

/** A mark on the browser's performance timeline: event → frame received, read by the project's own benchmark. */
function reportLatency(originWallMs: number): void {
  if (originWallMs <= 0) return;
  requestAnimationFrame(() => {
    performance.clearMarks("holdfast:painted");
    performance.mark("holdfast:painted", { detail: { originWallMs, paintedWallMs: Date.now() } });
  });
}

/** Opens the socket for as long as it is mounted. One per page. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [live] = useState(() => createLive(client));
  useEffect(() => {
    live.feed.start();
    const retry = () => live.feed.retryNow();
    window.addEventListener("online", retry);
    document.addEventListener("visibilitychange", retry);
    return () => {
      window.removeEventListener("online", retry);
      document.removeEventListener("visibilitychange", retry);
      live.feed.stop();
    };
  }, [live]);
  return <Context value={live}>{children}</Context>;
}

export function useLive(): Live {
  const live = useContext(Context);
  if (live === null) throw new Error("useLive outside of LiveProvider");
  return live;
}
