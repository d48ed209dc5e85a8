import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EntityView, FeedFrame, SystemView } from "../protocol/index.ts";
import { Feed, keyOf } from "./feed.ts";

const base = { entity: "system", version: "1", startedAt: 0 } as unknown as SystemView;
/** An entity with a number that grows: who has the newest number has missed nothing of it. */
const view = (id: string, n: number): EntityView => ({ ...base, entity: "node", id, n }) as unknown as EntityView;

/** A browser: takes frames, checks the order, keeps the rows. */
class Viewer {
  readonly rows = new Map<string, unknown>();
  cursor: { feedId: string; seq: number } | null = null;
  gaps = 0;

  take(text: string, first: boolean): void {
    const frame = JSON.parse(text) as FeedFrame;
    if (frame.t === "snapshot") {
      this.rows.clear();
      for (const entity of frame.entities) this.rows.set(keyOf(entity), entity);
    } else if (frame.t === "changes") {
      if (!first && frame.seq !== (this.cursor?.seq ?? 0) + 1) this.gaps += 1;
      for (const entity of frame.put) this.rows.set(keyOf(entity), entity);
      for (const gone of frame.removed) this.rows.delete(`${gone.entity}:${gone.id}`);
    } else return;
    this.cursor = { feedId: frame.feedId, seq: frame.seq };
  }
}

type Step = { readonly kind: "put" | "remove"; readonly id: string } | { readonly kind: "leave" | "return" };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom("put" as const, "remove" as const), id: fc.constantFrom("a", "b", "c", "d") }),
  fc.record({ kind: fc.constantFrom("leave" as const, "return" as const) }),
);

describe("the feed", () => {
  it("gives every viewer, however often it leaves, either all it missed or everything, without a gap", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 1, max: 12 }), (steps, limit) => {
        const world = new Map<string, EntityView>();
        const feed = new Feed("f", () => [...world.values()], limit);
        const viewer = new Viewer();
        let unsubscribe: (() => void) | null = null;
        const enter = (): void => {
          viewer.take(feed.resume(viewer.cursor), true);
          unsubscribe = feed.subscribe((frame) => viewer.take(frame, false));
        };
        enter();
        steps.forEach((each, n) => {
          if (each.kind === "put") {
            const entity = view(each.id, n);
            world.set(keyOf(entity), entity);
            feed.publish({ put: [entity], removed: [], timeline: [], originWallMs: n });
          } else if (each.kind === "remove") {
            world.delete(`node:${each.id}`);
            feed.publish({ put: [], removed: [{ entity: "node", id: each.id }], timeline: [], originWallMs: n });
          } else if (each.kind === "leave") {
            unsubscribe?.();
            unsubscribe = null;
          } else if (unsubscribe === null) enter();
        });
        if (unsubscribe === null) enter();
        expect(viewer.gaps).toBe(0);
        expect(viewer.cursor?.seq).toBe(feed.seq);
        expect(Object.fromEntries(viewer.rows)).toEqual(JSON.parse(JSON.stringify(Object.fromEntries(world))));
      }),
    );
  });

  it("says how many changes were missed, and sends everything when they are not all kept", () => {
    const feed = new Feed("f", () => [], 3);
    const publish = () => feed.publish({ put: [view("a", 1)], removed: [], timeline: [], originWallMs: 0 });
    publish();
    publish();
    expect(JSON.parse(feed.resume({ feedId: "f", seq: 0 }))).toMatchObject({ t: "changes", seq: 2, missed: 2 });
    expect(JSON.parse(feed.resume({ feedId: "f", seq: 2 }))).toMatchObject({ t: "changes", seq: 2, missed: 0 });
    for (let i = 0; i < 5; i++) publish();
    expect(JSON.parse(feed.resume({ feedId: "f", seq: 2 }))).toMatchObject({ t: "snapshot", seq: 7 });
    expect(JSON.parse(feed.resume({ feedId: "another", seq: 7 }))).toMatchObject({ t: "snapshot" });
    expect(JSON.parse(feed.resume({ feedId: "f", seq: 99 }))).toMatchObject({ t: "snapshot" });
  });
});
