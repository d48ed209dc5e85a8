import type { FeedFrame, ViewerFrame } from "../../server/protocol/index.ts";

/**
 * The browser's end of `/live`: connects, says where it stands, notices gaps and silence, and comes back by itself.
 * No React and no global in here: socket, clock and timers come in, so that a test can drive it.
 */
export type FeedPhase = "connecting" | "live" | "down" | "ended";

export interface FeedStatus {
  readonly phase: FeedPhase;
  /** Something of the whole picture has arrived; what is on screen is real, if perhaps old. */
  readonly ready: boolean;
  /** When the last frame came in, by `nowMs`. */
  readonly lastFrameAtMs: number | null;
  readonly downSinceMs: number | null;
  readonly retryAtMs: number | null;
  /** Server's wall clock minus ours, milliseconds. */
  readonly clockOffsetMs: number;
  /** The last catch-up after a disconnect: how many changes had been missed. */
  readonly caughtUp: { readonly missed: number; readonly atMs: number } | null;
  readonly endedReason: string | null;
}

export interface SocketLike {
  send(data: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  onerror: (() => void) | null;
}

export interface FeedWorld {
  readonly openSocket: () => SocketLike;
  readonly nowMs: () => number;
  readonly wallMs: () => number;
  readonly setTimer: (run: () => void, delayMs: number) => number;
  readonly clearTimer: (timer: number) => void;
  readonly onFrame: (frame: FeedFrame) => void;
}

/** A quiet feed is asked for a sign of life this often; two missed signs make the screen stale. */
export const SIGN_OF_LIFE_MS = 1_000;
export const STALE_AFTER_MS = 2 * SIGN_OF_LIFE_MS + 500;
/** Silence after which the socket is given up and opened again. */
const GIVE_UP_AFTER_MS = 8_000;
const RETRY_MS = [250, 500, 1_000, 2_000, 4_000] as const;

export interface FeedClient {
  readonly start: () => void;
  readonly stop: () => void;
  readonly retryNow: () => void;
  readonly watch: (topic: string) => () => void;
  readonly status: () => FeedStatus;
  readonly subscribe: (listener: () => void) => () => void;
}

export function createFeedClient(world: FeedWorld): FeedClient {
  let status: FeedStatus = {
    phase: "connecting",
    ready: false,
    lastFrameAtMs: null,
    downSinceMs: null,
    retryAtMs: null,
    clockOffsetMs: 0,
    caughtUp: null,
    endedReason: null,
  };
  let cursor: { feedId: string; seq: number } | null = null;
  let socket: SocketLike | null = null;
  let attempts = 0;
  let pingId = 0;
  let retryTimer: number | null = null;
  let lifeTimer: number | null = null;
  let openedAtMs = 0;
  const topics = new Map<string, number>();
  const listeners = new Set<() => void>();

  const set = (patch: Partial<FeedStatus>) => {
    const phaseChanged = patch.phase !== undefined && patch.phase !== status.phase;
    status = { ...status, ...patch };
    if (phaseChanged || patch.caughtUp !== undefined || patch.retryAtMs !== undefined || patch.ready !== undefined) {
      for (const listener of [...listeners]) listener();
    }
  };
  const send = (frame: ViewerFrame) => socket?.send(JSON.stringify(frame));
  const sendTopics = () => {
    if (status.phase === "live") send({ t: "watch", topics: [...topics.keys()].slice(-8) });
  };

  const take = (frame: FeedFrame) => {
    set({ lastFrameAtMs: world.nowMs() });
    switch (frame.t) {
      case "snapshot":
        cursor = { feedId: frame.feedId, seq: frame.seq };
        world.onFrame(frame);
        return set({ ready: true });
      case "changes": {
        if (cursor !== null && frame.feedId === cursor.feedId && frame.seq <= cursor.seq) return;
        cursor = { feedId: frame.feedId, seq: frame.seq };
        world.onFrame(frame);
        if (frame.missed > 0) set({ caughtUp: { missed: frame.missed, atMs: world.nowMs() } });
        return set({ ready: true });
      }
      case "detail":
        return world.onFrame(frame);
      case "pong":
        set({ clockOffsetMs: smoothOffset(status.clockOffsetMs, frame.wallMs - world.wallMs()) });
        return world.onFrame(frame);
      case "ended":
        stop();
        set({ phase: "ended", endedReason: frame.reason });
        return world.onFrame(frame);
    }
  };

  const onClosed = (closed: SocketLike) => {
    if (closed !== socket) return;
    socket = null;
    const waitMs = RETRY_MS[Math.min(attempts, RETRY_MS.length - 1)] ?? 4_000;
    attempts += 1;
    set({
      phase: "down",
      downSinceMs: status.downSinceMs ?? world.nowMs(),
      retryAtMs: world.nowMs() + waitMs,
    });
    retryTimer = world.setTimer(connect, waitMs);
  };

  const connect = () => {
    if (retryTimer !== null) world.clearTimer(retryTimer);
    retryTimer = null;
    const opened = world.openSocket();
    socket = opened;
    openedAtMs = world.nowMs();
    opened.onopen = () => {
      if (opened !== socket) return;
      attempts = 0;
      set({ phase: "live", downSinceMs: null, retryAtMs: null, lastFrameAtMs: world.nowMs() });
      send({ t: "resume", cursor });
      if (topics.size > 0) sendTopics();
      send({ t: "ping", id: ++pingId });
    };
    opened.onmessage = (event) => {
      if (opened !== socket) return;
      const frame = decodeFrame(event.data);
      if (frame !== null) take(frame);
    };
    opened.onclose = () => onClosed(opened);
    opened.onerror = () => {};
  };

  const checkLife = () => {
    lifeTimer = world.setTimer(checkLife, SIGN_OF_LIFE_MS);
    if (socket === null) return;
    const quietMs = world.nowMs() - Math.max(status.lastFrameAtMs ?? 0, openedAtMs);
    if (quietMs > GIVE_UP_AFTER_MS) {
      const silent = socket;
      silent.close();
      return onClosed(silent);
    }
    if (status.phase === "live") send({ t: "ping", id: ++pingId });
  };

  const stop = () => {
    if (retryTimer !== null) world.clearTimer(retryTimer);
    if (lifeTimer !== null) world.clearTimer(lifeTimer);
    retryTimer = null;
    lifeTimer = null;
    const closing = socket;
    socket = null;
    closing?.close();
  };

  return {
    start: () => {
      if (socket !== null || lifeTimer !== null) return;
      connect();
      lifeTimer = world.setTimer(checkLife, SIGN_OF_LIFE_MS);
    },
    stop,
    retryNow: () => {
      if (status.phase === "down") connect();
    },
    watch: (topic) => {
      const before = topics.get(topic) ?? 0;
      topics.set(topic, before + 1);
      if (before === 0) sendTopics();
      return () => {
        const count = (topics.get(topic) ?? 1) - 1;
        if (count > 0) topics.set(topic, count);
        else topics.delete(topic);
        if (count <= 0) sendTopics();
      };
    },
    status: () => status,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Our own server speaks JSON with a `t`; anything else is dropped. */
function decodeFrame(data: unknown): FeedFrame | null {
  if (typeof data !== "string") return null;
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null && "t" in value ? (value as FeedFrame) : null;
  } catch {
    return null;
  }
}

/** The first reading counts wholly, later ones a fifth: one slow answer must not move every age on the screen. */
function smoothOffset(before: number, reading: number): number {
  if (before === 0 || Math.abs(reading - before) > 60_000) return reading;
  return before + (reading - before) * 0.2;
}
