import { describe, expect, it, vi } from "vitest";
import { makeNode } from "../overview/picture-fixture.ts";
import { createEntityStore } from "./entity-store.ts";

/** A world whose frames and timers run when the test says so. */
function createWorld() {
  let nowMs = 0;
  const frames: (() => void)[] = [];
  const timers: { at: number; run: () => void }[] = [];
  return {
    scheduler: {
      frame: (run: () => void) => void frames.push(run),
      timer: (run: () => void, delayMs: number) => void timers.push({ at: nowMs + delayMs, run }),
      nowMs: () => nowMs,
    },
    paint: () => {
      for (const run of frames.splice(0)) run();
    },
    advance: (ms: number) => {
      nowMs += ms;
      for (const timer of timers.splice(0)) {
        if (timer.at <= nowMs) timer.run();
        else timers.push(timer);
      }
    },
  };
}

describe("createEntityStore", () => {
  it("tells only who asked for the entity that changed", () => {
    const world = createWorld();
    const store = createEntityStore(world.scheduler);
    const a = vi.fn();
    const b = vi.fn();
    store.subscribe("node", "a", a);
    store.subscribe("node", "b", b);
    store.apply([makeNode("a")], []);
    expect(a).not.toHaveBeenCalled();
    world.paint();
    expect(a).toHaveBeenCalledTimes(1);
    expect(b).not.toHaveBeenCalled();
    expect(store.get("node", "a")?.id).toBe("a");
  });

  it("tells a list at once after a quiet time, then at most five times a second", () => {
    const world = createWorld();
    const store = createEntityStore(world.scheduler);
    const list = vi.fn();
    store.subscribeList("node", list);
    for (let i = 0; i < 22; i += 1) {
      store.apply([makeNode(`n-${i}`)], []);
      world.paint();
      world.advance(10);
    }
    expect(list).toHaveBeenCalledTimes(2);
    world.advance(210);
    expect(store.list("node")).toHaveLength(22);
  });

  it("keeps the same array until the list is told, so that a render sees one state", () => {
    const world = createWorld();
    const store = createEntityStore(world.scheduler);
    store.apply([makeNode("a")], []);
    world.paint();
    const before = store.list("node");
    store.apply([makeNode("b")], []);
    expect(store.list("node")).toBe(before);
    world.paint();
    world.advance(210);
    expect(store.list("node")).toHaveLength(2);
  });

  it("names the changed ids to canvases, and everything after a snapshot", () => {
    const world = createWorld();
    const store = createEntityStore(world.scheduler);
    const seen: (readonly string[] | null)[] = [];
    store.subscribeChanges("node", (ids) => seen.push(ids === null ? null : [...ids]));
    store.replaceAll([makeNode("a"), makeNode("b")]);
    world.paint();
    store.apply([makeNode("b", { state: "down" })], [{ entity: "node", id: "a" }]);
    world.paint();
    expect(seen).toEqual([null, ["b", "a"]]);
    expect(store.get("node", "a")).toBeUndefined();
  });

  it("passes over kinds it doesn't know", () => {
    const store = createEntityStore(createWorld().scheduler);
    store.apply([{ entity: "ring", id: "x" } as never], [{ entity: "ring", id: "x" }]);
    expect(store.list("node")).toEqual([]);
  });
});
