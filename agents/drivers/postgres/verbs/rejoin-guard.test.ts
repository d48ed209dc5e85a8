import { describe, expect, it } from "vitest";
import { Refusal } from "./context.ts";
import { assertOverwritable, type PresentData } from "./rejoin-guard.ts";

const source = { node: "pg-a", systemId: "71" };
const deposed: PresentData = { empty: false, granted: true, asPrimary: true, systemId: "71" };

function codeOf(data: PresentData): string | null {
  try {
    assertOverwritable(data, source);
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

describe("what a rejoin may overwrite", () => {
  it("takes a deposed primary of the same system, and an empty directory", () => {
    expect(codeOf(deposed)).toBeNull();
    expect(codeOf({ empty: true, granted: false, asPrimary: true, systemId: null })).toBeNull();
  });

  it("takes a standby of the same system that was set up by hand", () => {
    expect(codeOf({ ...deposed, granted: false, asPrimary: false })).toBeNull();
  });

  it("takes a granted member whose control file is damaged", () => {
    expect(codeOf({ ...deposed, systemId: null })).toBeNull();
  });

  it("refuses a primary that was never granted", () => {
    expect(codeOf({ ...deposed, granted: false })).toBe("not-ours");
  });

  it("refuses data that nobody can identify on a member that was never granted", () => {
    expect(codeOf({ empty: false, granted: false, asPrimary: false, systemId: null })).toBe("not-ours");
  });

  it("refuses another system's data, granted or not", () => {
    for (const granted of [true, false]) {
      expect(codeOf({ ...deposed, granted, systemId: "72" })).toBe("foreign-system");
    }
  });
});
