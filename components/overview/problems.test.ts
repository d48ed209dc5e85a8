import { describe, expect, it } from "vitest";
import { makeCluster, makeIncident, makeNode, makePicture, T0 } from "./picture-fixture.ts";
import { findProblems, incidentState } from "./problems.ts";

describe("findProblems", () => {
  it("finds none in a healthy picture", () => {
    expect(findProblems(makePicture())).toEqual([]);
  });

  it("tells one fault once: an incident speaks for its cluster and its nodes", () => {
    const picture = makePicture({
      nodes: [makeNode("pg-a", { state: "down" }), makeNode("pg-b")],
      clusters: [makeCluster({ state: "degraded" })],
      incidents: [makeIncident()],
    });
    expect(findProblems(picture).map((problem) => problem.key)).toEqual(["incident:INC-1"]);
  });

  it("puts what hurts before what was recovered, and worse before newer", () => {
    const nodes = [
      makeNode("n-1", { state: "maintenance", cluster: null }),
      makeNode("n-2", { state: "down", cluster: null, stateSince: T0 - 5_000 }),
      makeNode("n-3", { state: "suspect", cluster: null }),
    ];
    const picture = makePicture({ nodes, clusters: [], incidents: [makeIncident({ phase: "mitigated" })] });
    expect(findProblems(picture).map((problem) => problem.key)).toEqual([
      "node:n-2",
      "node:n-3",
      "incident:INC-1",
      "node:n-1",
    ]);
  });

  it("leaves resolved incidents out", () => {
    expect(findProblems(makePicture({ incidents: [makeIncident({ phase: "resolved" })] }))).toEqual([]);
  });

  it("shows a recovered incident as degraded, an open one of severity 1 as down", () => {
    expect(incidentState({ phase: "mitigated", severity: 1 })).toBe("degraded");
    expect(incidentState({ phase: "open", severity: 1 })).toBe("down");
    expect(incidentState({ phase: "open", severity: 3 })).toBe("degraded");
  });
});

describe("what a recovered incident waits for", () => {
  const member = {
    node: "pg-a",
    host: "127.0.0.1",
    port: 5432,
    state: "down",
    standing: "fenced",
    role: null,
    sync: false,
    streaming: false,
    timeline: null,
    lsn: null,
    lagBytes: null,
    lagMs: null,
    responseRatio: null,
    rejoinProgress: null,
    candidate: { eligible: false, reason: { code: "fenced", data: {} } },
    postgresVersion: null,
  } as const;
  const told = (connected: boolean) =>
    findProblems(
      makePicture({
        nodes: [makeNode("pg-a", { connected })],
        clusters: [makeCluster({ state: "degraded", members: [member] })],
        incidents: [makeIncident({ phase: "mitigated" })],
      }),
    )[0]?.text?.code;

  it("is the node itself while it is gone, and its rejoin once it is back", () => {
    expect(told(false)).toBe("awaiting-node");
    expect(told(true)).toBe("awaiting-rejoin");
  });
});
