import { describe, expect, it } from "vitest";
import english from "../../messages/en.json" with { type: "json" };
import { originOf } from "./map-model.ts";

describe("what no trace shows", () => {
  it("is told apart: declared, connected, or both", () => {
    const words = (declared: boolean, connected: boolean) => english.map[originOf({ declared, connected })];
    expect(words(true, false)).toBe("declared, not seen");
    expect(words(false, true)).toBe("seen as a connection");
    expect(words(true, true)).toBe("declared, seen as a connection");
  });
});
