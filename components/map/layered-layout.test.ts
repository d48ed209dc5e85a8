import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type LayoutEdge, layOut } from "./layered-layout.ts";

const edge = (from: string, to: string): LayoutEdge => ({ from, to });

const graphs = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { minLength: 1, maxLength: 25 }).chain((ids) =>
  fc.record({
    ids: fc.constant(ids),
    edges: fc.array(fc.record({ from: fc.constantFrom(...ids), to: fc.constantFrom(...ids) }), { maxLength: 60 }),
  }),
);

describe("the service map's layout", () => {
  it("puts callers left of what they call", () => {
    const { places } = layOut(
      ["db", "gateway", "orders", "payments"],
      [edge("gateway", "orders"), edge("orders", "payments"), edge("orders", "db"), edge("gateway", "db")],
    );
    expect(["gateway", "orders", "payments", "db"].map((id) => places.get(id)?.layer)).toEqual([0, 1, 2, 2]);
  });

  it("begins a circle where calls come in from outside", () => {
    const { places } = layOut(["a", "b", "entry"], [edge("entry", "b"), edge("b", "a"), edge("a", "b")]);
    expect(["entry", "b", "a"].map((id) => places.get(id)?.layer)).toEqual([0, 1, 2]);
  });

  it("keeps lines from crossing where that is easy", () => {
    const { layers } = layOut(["a", "b", "c", "x", "y", "z"], [edge("a", "z"), edge("b", "y"), edge("c", "x")]);
    const [first = [], second = []] = layers;
    const partner: Record<string, string> = { a: "z", b: "y", c: "x" };
    expect(first.map((id) => partner[id])).toEqual(second);
  });

  it("places every service once, whatever the calls, and calls never point within a layer unless they close a circle", () => {
    fc.assert(
      fc.property(graphs, ({ ids, edges }) => {
        const { places, layers } = layOut(ids, edges);
        expect([...places.keys()].sort()).toEqual([...ids].sort());
        for (const layer of layers) expect(layer.length).toBeGreaterThan(0);
        const seen = new Set([...places.values()].map((place) => `${place.layer}/${place.row}`));
        expect(seen.size).toBe(ids.length);
        for (const { from, to } of edges) {
          if (from !== to) expect(places.get(from)?.layer).not.toBe(places.get(to)?.layer);
        }
      }),
    );
  });

  it("does not depend on the order in which things are given", () => {
    fc.assert(
      fc.property(graphs, fc.nat(), ({ ids, edges }, seed) => {
        const turn = <T>(list: readonly T[]) => [
          ...list.slice(seed % list.length),
          ...list.slice(0, seed % list.length),
        ];
        const other = layOut(turn(ids).reverse(), edges.length === 0 ? [] : turn(edges).reverse());
        expect(other.layers).toEqual(layOut(ids, edges).layers);
      }),
    );
  });

  it("is the same again when nothing changed, and one more service moves none to another layer's other end", () => {
    const ids = Array.from({ length: 40 }, (_, i) => `s${String(i).padStart(2, "0")}`);
    const edges = ids.slice(1).map((id, i) => edge(ids[Math.floor(i / 3)] as string, id));
    const first = layOut(ids, edges);
    const again = layOut(ids, edges, first.places);
    expect(layOut(ids, edges, again.places).layers).toEqual(again.layers);
    const grown = layOut([...ids, "new"], [...edges, edge("s00", "new")], again.places);
    for (const id of ids) {
      expect(grown.places.get(id)?.layer).toBe(again.places.get(id)?.layer);
      expect(Math.abs((grown.places.get(id)?.row ?? 0) - (again.places.get(id)?.row ?? 0))).toBeLessThanOrEqual(3);
    }
  });
});
