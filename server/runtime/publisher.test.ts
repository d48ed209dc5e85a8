import { beforeEach, describe, expect, it } from "vitest";
import type { EntityView, NodeView } from "../protocol/index.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import type { FeedChange } from "./feed.ts";
import { Publisher } from "./publisher.ts";

let clock: FakeClock;
let publisher: Publisher;
let published: { at: number; change: FeedChange }[];
let views: Map<string, EntityView>;

const node = (state: NodeView["state"], cpu: number): NodeView =>
  ({
    entity: "node",
    id: "a",
    state,
    reasons: [],
    suspicion: 0,
    suspicionThreshold: 1,
    host: { cpu },
  }) as unknown as NodeView;
const mark = (durable = false) => publisher.mark(new Set(["node:a"]), durable, [], clock.wallMs());

beforeEach(() => {
  clock = new FakeClock();
  published = [];
  views = new Map([["node:a", node("healthy", 0)]]);
  publisher = new Publisher({
    clock,
    view: (key) => views.get(key) ?? null,
    publish: (change) => published.push({ at: clock.monoMs(), change }),
    nodeCount: () => 1,
  });
});

describe("the publisher", () => {
  it("sends changes, not heartbeats: figures slowly, states within a quarter of a second", async () => {
    for (let i = 0; i < 40; i++) {
      views.set("node:a", node("healthy", i / 100));
      mark();
      await clock.advance(250);
    }
    expect(published.length).toBeGreaterThanOrEqual(9);
    expect(published.length).toBeLessThanOrEqual(11);
    const before = published.length;
    views.set("node:a", node("down", 0.4));
    mark();
    await clock.advance(250);
    expect(published.length).toBe(before + 1);
  });

  it("shows at once what an agent reports out of turn, twenty times a second at most", async () => {
    const urge = () => publisher.mark(new Set(["node:a"]), false, [], clock.wallMs(), true);
    mark();
    await clock.advance(60);
    views.set("node:a", node("down", 0));
    mark();
    urge();
    await clock.advance(20);
    expect(published.length).toBe(2);
    for (let i = 0; i < 100; i++) {
      views.set("node:a", node(i % 2 === 0 ? "healthy" : "down", 0));
      urge();
      await clock.advance(10);
    }
    expect(published.length).toBeLessThanOrEqual(2 + 21);
  });

  it("sends a first change at once, and further ones at most four times a second", async () => {
    const states = ["healthy", "suspect", "down", "degraded"] as const;
    for (let i = 0; i < 100; i++) {
      views.set("node:a", node(states[i % 4] as NodeView["state"], 0));
      mark();
      await clock.advance(10);
    }
    expect((published[0]?.at ?? 0) - 1_000).toBeLessThanOrEqual(20);
    expect(published.length).toBeLessThanOrEqual(6);
    await clock.advance(300);
    expect(published.at(-1)?.change.put[0]).toMatchObject({ state: states[99 % 4] });
  });

  it("sends what was committed at once, whatever was sent before", async () => {
    mark();
    await clock.advance(20);
    mark(true);
    expect(published.length).toBe(2);
    expect(published[1]?.at).toBe(published[0] === undefined ? 0 : clock.monoMs());
  });

  it("says what is gone, once", async () => {
    mark(true);
    views.delete("node:a");
    mark(true);
    mark(true);
    expect(published.map(({ change }) => change.removed)).toEqual([[], [{ entity: "node", id: "a" }]]);
  });
});
