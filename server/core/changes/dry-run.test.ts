import { describe, expect, it } from "vitest";
import type { DocumentOf } from "../documents.ts";
import { type ChangeFilter, matchesChange } from "./filter.ts";
import { Fleet } from "./testing/fleet.ts";

const endOf = ({ phase, story, transaction }: DocumentOf<"change">) => ({
  phase,
  last: story.at(-1)?.kind,
  cause: transaction.cause?.code,
});

describe("a dry run", () => {
  it.each(["2pc", "saga"] as const)("stages and validates everywhere and switches nothing (%s)", (protocol) => {
    const fleet = new Fleet();
    fleet.rollOut("2.0", protocol, null, { only: null });
    fleet.pass(1_000);
    expect(fleet.change()).toBeUndefined();
    expect(endOf(fleet.lastChange())).toEqual({ phase: "aborted", last: "dry-run-passed", cause: "dry-run-passed" });
    const steps = new Set(fleet.asked.map((each) => each.split(" ")[0]));
    expect(steps).toEqual(new Set(["prepare", "abort"]));
    expect(fleet.versions()).toEqual(["1.0", "1.0", "1.0"]);
    expect(fleet.state.durable.incidents.size).toBe(0);
    // It is no word on the version, and none that was there before it.
    const record = fleet.state.durable.documents.get("program:web") as DocumentOf<"program">;
    expect(record).toMatchObject({ history: [], openChange: null });
  });

  it("hears everybody, also after one has said no", () => {
    const fleet = new Fleet();
    fleet.refusing.add("web-1");
    fleet.refusing.add("web-3");
    fleet.rollOut("2.0", "2pc", null, { only: null });
    fleet.pass(1_000);
    expect(endOf(fleet.lastChange())).toEqual({ phase: "aborted", last: "dry-run-failed", cause: "voted-no" });
    const answers = fleet.lastChange().story.filter(({ kind }) => kind.startsWith("prepare-"));
    expect(answers.map(({ kind, data }) => `${kind} ${data.target}`)).toEqual([
      "prepare-no web-1",
      "prepare-yes web-2",
      "prepare-no web-3",
    ]);
  });

  it("may ask one participant only, and does not wait for one that does not answer", () => {
    const fleet = new Fleet();
    fleet.rollOut("2.0", "2pc", null, { only: "web-2" });
    fleet.pass(1_000);
    expect(fleet.asked).toEqual(["prepare web-2", "abort web-2"]);
    fleet.silent = "web-2";
    fleet.rollOut("2.0", "2pc", null, { only: null });
    fleet.pass(31_000);
    expect(fleet.change()).toBeUndefined();
    expect(endOf(fleet.lastChange())).toEqual({ phase: "aborted", last: "dry-run-failed", cause: "no-vote-in-time" });
  });
});

describe("the list of changes", () => {
  const change = (patch: object) =>
    ({
      id: "CHG-7",
      service: "web",
      version: "c0ffee",
      item: { kind: "config", file: "web.json", content: "" },
      reason: "Currency of Chile",
      by: "ada",
      targets: [{ id: "sql:orders", node: "pg-a" }],
      incidentId: null,
      rollbackOf: null,
      closedAt: 5,
      phase: "done",
      ...patch,
    }) as unknown as DocumentOf<"change">;
  const matches = (filter: ChangeFilter, patch: object = {}) => matchesChange(change(patch), filter);

  it("is searched by every word that names a change", () => {
    for (const text of ["", "chg-7", "WEB", "c0ff", ".json", "chile", "Ada", "sql:orders", " pg-a "])
      expect(matches({ text }), text).toBe(true);
    expect(matches({ text: "billing" })).toBe(false);
  });

  it("is restricted by how a change stands and by its kind", () => {
    expect(matches({ state: "done" })).toBe(true);
    expect(matches({ state: "running" })).toBe(false);
    expect(matches({ state: "running" }, { closedAt: null, phase: "aborting" })).toBe(true);
    expect(matches({ state: "aborted" }, { phase: "aborted" })).toBe(true);
    expect(matches({ kind: "config" })).toBe(true);
    expect(matches({ kind: "rollback" }, { rollbackOf: "CHG-1" })).toBe(true);
    expect(matches({ kind: "dry-run" }, { dryRun: true })).toBe(true);
    expect(matches({ kind: "config" }, { dryRun: true })).toBe(false);
    expect(matches({ kind: "config", state: "done", text: "billing" })).toBe(false);
  });
});
