import { beforeEach, describe, expect, it } from "vitest";
import type { FeedFrame, ViewerFrame } from "../../server/protocol/index.ts";
import { createFeedClient, type SocketLike } from "./feed-client.ts";

class FakeSocket implements SocketLike {
  sent: ViewerFrame[] = [];
  closed = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  onerror: (() => void) | null = null;
  send(data: string) {
    this.sent.push(JSON.parse(data) as ViewerFrame);
  }
  close() {
    this.closed = true;
  }
  say(frame: FeedFrame | string) {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }
}

function createWorld() {
  let nowMs = 1_000;
  let nextTimer = 1;
  const timers = new Map<number, { at: number; run: () => void }>();
  const sockets: FakeSocket[] = [];
  const frames: FeedFrame[] = [];
  const client = createFeedClient({
    openSocket: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    nowMs: () => nowMs,
    wallMs: () => nowMs,
    setTimer: (run, delayMs) => {
      timers.set(nextTimer, { at: nowMs + delayMs, run });
      return nextTimer++;
    },
    clearTimer: (timer) => void timers.delete(timer),
    onFrame: (frame) => frames.push(frame),
  });
  const advance = (ms: number) => {
    const until = nowMs + ms;
    for (;;) {
      const due = [...timers].filter(([, timer]) => timer.at <= until).sort((a, b) => a[1].at - b[1].at)[0];
      if (due === undefined) break;
      timers.delete(due[0]);
      nowMs = due[1].at;
      due[1].run();
    }
    nowMs = until;
  };
  return { client, sockets, frames, advance };
}

const changes = (seq: number, missed = 0): FeedFrame => ({
  t: "changes",
  feedId: "f",
  seq,
  missed,
  put: [],
  removed: [],
  timeline: [],
  originWallMs: 0,
});
const snapshot = (seq: number): FeedFrame => ({ t: "snapshot", feedId: "f", seq, entities: [] });

describe("createFeedClient", () => {
  let world: ReturnType<typeof createWorld>;
  let socket: FakeSocket;
  beforeEach(() => {
    world = createWorld();
    world.client.start();
    socket = world.sockets[0] as FakeSocket;
    socket.onopen?.();
  });

  it("asks for everything first, and is ready when it has come", () => {
    expect(socket.sent[0]).toEqual({ t: "resume", cursor: null });
    expect(world.client.status()).toMatchObject({ phase: "live", ready: false });
    socket.say(snapshot(4));
    expect(world.client.status()).toMatchObject({ phase: "live", ready: true });
  });

  it("comes back by itself from its cursor and tells how much it missed", () => {
    socket.say(snapshot(4));
    socket.say(changes(5));
    socket.onclose?.();
    expect(world.client.status().phase).toBe("down");
    world.advance(250);
    const second = world.sockets[1] as FakeSocket;
    second.onopen?.();
    expect(second.sent[0]).toEqual({ t: "resume", cursor: { feedId: "f", seq: 5 } });
    second.say(changes(22, 17));
    expect(world.client.status()).toMatchObject({ phase: "live", downSinceMs: null, caughtUp: { missed: 17 } });
  });

  it("waits longer between tries, and never longer than four seconds", () => {
    for (const waitMs of [250, 500, 1_000, 2_000, 4_000, 4_000]) {
      const current = world.sockets.at(-1) as FakeSocket;
      const count = world.sockets.length;
      current.onclose?.();
      world.advance(waitMs - 1);
      expect(world.sockets).toHaveLength(count);
      world.advance(1);
      expect(world.sockets).toHaveLength(count + 1);
    }
  });

  it("gives up a socket that is open and silent", () => {
    socket.say(snapshot(1));
    world.advance(9_500);
    expect(socket.closed).toBe(true);
    expect(world.sockets.length).toBeGreaterThan(1);
  });

  it("takes no change twice", () => {
    socket.say(snapshot(4));
    socket.say(changes(5));
    socket.say(changes(5));
    expect(world.frames.filter((frame) => frame.t === "changes")).toHaveLength(1);
  });

  it("drops what is no frame", () => {
    socket.say("not json");
    socket.say("42");
    expect(world.frames).toEqual([]);
    expect(world.client.status().phase).toBe("live");
  });

  it("watches a topic once for several readers, and again after coming back", () => {
    const off1 = world.client.watch("node:a");
    const off2 = world.client.watch("node:a");
    expect(socket.sent.filter((frame) => frame.t === "watch")).toEqual([{ t: "watch", topics: ["node:a"] }]);
    socket.onclose?.();
    world.advance(250);
    const second = world.sockets[1] as FakeSocket;
    second.onopen?.();
    expect(second.sent).toContainEqual({ t: "watch", topics: ["node:a"] });
    off1();
    off2();
    expect(second.sent.at(-1)).toEqual({ t: "watch", topics: [] });
  });

  it("stops when the session has ended", () => {
    socket.say({ t: "ended", reason: "signed-out" });
    world.advance(60_000);
    expect(world.client.status()).toMatchObject({ phase: "ended", endedReason: "signed-out" });
    expect(world.sockets).toHaveLength(1);
  });
});
