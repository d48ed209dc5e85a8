import { describe, expect, it } from "vitest";
import { type Change, isAway, isOvertaken, mayBeLeft, voteOf, whatOf } from "./use-changes.ts";

type Branch = Change["transaction"]["branches"][number];
type Cause = Change["transaction"]["cause"];

function change(openedAt: number, item: Change["item"], cause: Cause = null): Change {
  const transaction = { decision: cause === null ? "commit" : "abort", cause };
  return { service: "web", openedAt, item, version: "c0ffee", transaction } as unknown as Change;
}

const release = { kind: "release", version: "2.0" } as const;
const file = (name: string) => ({ kind: "config", file: name, content: "" }) as const;
const branch = (id: string, state: Branch["state"], votedAt: number | null) => ({ id, state, votedAt }) as Branch;

describe("what a change is called and where its way back leads", () => {
  it("names a file beside its digest", () => {
    expect(whatOf(change(1, file("web.json")))).toBe("web.json c0ffee");
    expect(whatOf(change(1, release))).toBe("c0ffee");
  });

  it("is overtaken by a later change of the same thing only", () => {
    const first = change(1, file("web.json"));
    expect(isOvertaken(first, [change(2, release), change(3, { kind: "restart" }), change(4, file("b.json"))])).toBe(
      false,
    );
    expect(isOvertaken(first, [change(2, file("web.json"), { code: "voted-no", branch: "a" })])).toBe(false);
    expect(isOvertaken(first, [change(2, { kind: "config-revert", file: "web.json", change: "CHG-1" })])).toBe(true);
    expect(isOvertaken(change(1, release), [change(2, { kind: "restart" })])).toBe(false);
    expect(isOvertaken(change(1, release), [change(2, release)])).toBe(true);
  });
});

describe("the vote matrix", () => {
  it("goes on saying who said no when everything has gone back", () => {
    for (const code of ["voted-no", "step-failed"]) {
      const ended = change(1, file("web.json"), { code, branch: "a" });
      expect(voteOf(ended, branch("a", "aborted", 5))).toBe("no");
      expect(voteOf(ended, branch("b", "aborted", 5))).toBe("yes");
      expect(voteOf(ended, branch("c", "aborted", null))).toBe("asked");
      expect(voteOf(ended, branch("d", "idle", null))).toBe("idle");
    }
    // Stopped because of its health: its vote was yes.
    expect(voteOf(change(1, release, { code: "crashed", branch: "a" }), branch("a", "aborted", 5))).toBe("yes");
  });
});

describe("going on without a participant", () => {
  type Target = Change["targets"][number];
  const open = { closedAt: null } as Change;
  const waiting = { endedAt: null, attempts: 1 } as Branch;
  const database = { id: "sql:orders", kind: "sql", node: "pg-a", stepAt: 1, detail: null } as Target;
  const program = { ...database, id: "web-1", kind: "program", node: "web-1" } as Target;
  const here = new Set(["web-1", "pg-b"]);

  it("is offered for a database as for a node, when its agent is away", () => {
    expect(mayBeLeft(open, database, waiting, here)).toBe(true);
    expect(mayBeLeft(open, { ...database, node: "pg-b" }, waiting, here)).toBe(false);
    expect(mayBeLeft(open, program, waiting, here)).toBe(false);
    expect(mayBeLeft(open, { ...program, node: "web-2" }, waiting, here)).toBe(true);
  });

  it("is offered for a database without a primary, and for whoever was asked in vain", () => {
    expect(mayBeLeft(open, { ...database, node: "pg-b", detail: "no-primary" }, waiting, here)).toBe(true);
    expect(mayBeLeft(open, program, { ...waiting, attempts: 2 }, here)).toBe(true);
  });

  it("is not offered for one that is through, and nobody is away while the nodes are not known", () => {
    expect(mayBeLeft(open, database, { ...waiting, endedAt: 5 }, here)).toBe(false);
    expect(mayBeLeft({ ...open, closedAt: 9 }, database, waiting, here)).toBe(false);
    expect(mayBeLeft(open, database, waiting, null)).toBe(false);
    // A database that was not asked yet has no node: its target names the cluster.
    expect(isAway({ ...database, node: "orders", stepAt: null }, here)).toBe(false);
  });
});
