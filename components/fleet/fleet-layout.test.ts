import { describe, expect, it } from "vitest";
import { makeNode } from "../overview/picture-fixture.ts";
import { filterNodes } from "./fleet-filter.ts";
import { cellAt, chooseCell, layoutFleet } from "./fleet-layout.ts";

const nodes = Array.from({ length: 25 }, (_, i) => makeNode(`n-${i}`, { zone: i % 2 === 0 ? "eu-a" : "eu-b" }));

describe("layoutFleet", () => {
  it("gives every node one cell of its own, found again under its middle", () => {
    const layout = layoutFleet(nodes, "zone", 100, 10);
    expect(new Set(layout.ids).size).toBe(25);
    layout.ids.forEach((id, index) => {
      const x = (layout.xs[index] as number) + 5;
      const y = (layout.ys[index] as number) + 5;
      expect(cellAt(layout, x, y)).toBe(index);
      expect(layout.indexOf.get(id)).toBe(index);
      expect(y + 5).toBeLessThanOrEqual(layout.height);
    });
  });

  it("finds nothing between groups, behind the last cell and outside", () => {
    const layout = layoutFleet(nodes, "zone", 100, 10);
    expect(cellAt(layout, 5, 2)).toBe(-1);
    expect(cellAt(layout, 95, (layout.ys[12] as number) + 5)).toBe(-1);
    expect(cellAt(layout, -1, 30)).toBe(-1);
    expect(cellAt(layout, 5, layout.height + 50)).toBe(-1);
  });

  it("sorts numbers as numbers, and doesn't move when states change", () => {
    const before = layoutFleet(nodes, "none", 100, 10);
    expect(before.ids.slice(0, 3)).toEqual(["n-0", "n-1", "n-2"]);
    const after = layoutFleet(
      nodes.map((node) => ({ ...node, state: "down" as const })),
      "none",
      100,
      10,
    );
    expect(after.ids).toEqual(before.ids);
  });

  it("puts the most urgent group first when grouped by state", () => {
    const mixed = [makeNode("a"), makeNode("b", { state: "down" }), makeNode("c", { state: "suspect" })];
    expect(layoutFleet(mixed, "state", 100, 10).groups.map((group) => group.key)).toEqual([
      "down",
      "suspect",
      "healthy",
    ]);
  });
});

describe("chooseCell", () => {
  it("gives few nodes large cells, many nodes small ones, and never less than asked", () => {
    expect(chooseCell(10, 1, 400, 300, 4)).toBe(20);
    expect(chooseCell(10_000, 5, 400, 300, 4)).toBe(4);
    expect(chooseCell(10_000, 5, 1_300, 640, 9)).toBe(9);
  });
});

describe("filterNodes", () => {
  it("wants every word, in any of the node's names", () => {
    const named = [
      makeNode("pg-a", { labels: { env: "prod" } }),
      makeNode("pg-b", { labels: { env: "test" }, zone: "us-a" }),
    ];
    const found = (q: string) => filterNodes(named, { q, states: [], scope: null }).map((node) => node.id);
    expect(found("pg prod")).toEqual(["pg-a"]);
    expect(found("us-a")).toEqual(["pg-b"]);
    expect(found("env=test")).toEqual(["pg-b"]);
    expect(found("nothing")).toEqual([]);
    expect(filterNodes(named, { q: "", states: [], scope: null })).toBe(named);
  });
});
