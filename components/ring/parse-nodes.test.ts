import { describe, expect, it } from "vitest";
import { parseNodes } from "./parse-nodes.ts";

describe("nodes as text", () => {
  it("takes a name, a weight and a zone a line, the last two if they are there", () => {
    expect(parseNodes("a\n\n b 2 east \nc west\n10.0.0.1:6379, 0.5").nodes).toEqual([
      { id: "a", weight: 1, zone: null },
      { id: "b", weight: 2, zone: "east" },
      { id: "c", weight: 1, zone: "west" },
      { id: "10.0.0.1:6379", weight: 0.5, zone: null },
    ]);
  });

  it("names the line that is wrong", () => {
    expect(parseNodes("a\nb 1 east more").wrongLine).toBe(2);
    expect(parseNodes("a\na").wrongLine).toBe(2);
    expect(parseNodes("<x>").wrongLine).toBe(1);
    expect(parseNodes("a 1001").wrongLine).toBe(1);
  });
});
