import { describe, expect, it } from "vitest";
import { parseNote } from "./note-text.ts";

describe("notes", () => {
  it("knows bold, code, links and bullets", () => {
    expect(parseNote("- **disk** of `pg-a`, see [graph](https://example.org/x)")).toEqual([
      {
        bullet: true,
        parts: [
          { kind: "bold", text: "disk" },
          { kind: "text", text: " of " },
          { kind: "code", text: "pg-a" },
          { kind: "text", text: ", see " },
          { kind: "link", text: "graph", href: "https://example.org/x" },
        ],
      },
    ]);
  });

  it("keeps HTML and script links as text", () => {
    const [first, second] = parseNote("<img src=x onerror=alert(1)>\n[x](javascript:alert(1))");
    expect(first?.parts).toEqual([{ kind: "text", text: "<img src=x onerror=alert(1)>" }]);
    expect(second?.parts.every((part) => part.kind === "text")).toBe(true);
  });
});
