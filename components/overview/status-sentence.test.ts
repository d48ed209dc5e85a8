import { createTranslator } from "next-intl";
import { describe, expect, it } from "vitest";
import en from "../../messages/en.json";
import { messageValues } from "../i18n/message-values.ts";
import type { Coded } from "./coded.ts";
import { makeAction, makeCluster, makeIncident, makeNode, makePicture, T0 } from "./picture-fixture.ts";
import { composeStatus } from "./status-sentence.ts";

const t = createTranslator({ locale: "en", messages: en as never }) as unknown as (
  key: string,
  values: Record<string, string | number>,
) => string;

/** The sentence as an English reader sees it: what is tested is what is read. */
function read(parts: readonly Coded[]): string {
  return parts
    .map(({ namespace, code, data }) => t(`${namespace}.${code}`, messageValues(data, "en", "utc")))
    .join(" ");
}
const headline = (picture: Parameters<typeof composeStatus>[0]) => read(composeStatus(picture, T0).headline);

describe("composeStatus", () => {
  it("is calm when all is well, and says what that is worth", () => {
    const status = composeStatus(makePicture(), T0);
    expect(status.calm).toBe(true);
    expect(read(status.headline)).toBe("orders is healthy. Every acknowledged write is on at least two machines.");
    expect(status.subline.map((part) => read([part]))).toEqual(["3 nodes, 3 healthy", "automation is on"]);
  });

  it("doesn't promise what asynchronous replication can't keep", () => {
    const picture = makePicture({ clusters: [makeCluster({ durability: { mode: "async", maxLagBytes: 1 } })] });
    expect(headline(picture)).toContain("a failover could lose the newest writes");
  });

  it("asks for the first node when there is none", () => {
    expect(headline(makePicture({ nodes: [], clusters: [] }))).toBe("No nodes yet.");
  });

  it("says what is being done while a failover runs", () => {
    const picture = makePicture({
      incidents: [makeIncident({ actionIds: ["ACT-1"] })],
      actions: [makeAction({ target: "pg-b" })],
    });
    expect(headline(picture)).toBe("orders lost its primary 41 s ago. Holdfast is failing over to pg-b.");
  });

  it("leaves the target out while none is chosen", () => {
    const picture = makePicture({ incidents: [makeIncident({ actionIds: ["ACT-1"] })], actions: [makeAction()] });
    expect(headline(picture)).toBe("orders lost its primary 41 s ago. Holdfast is failing over.");
  });

  const done = makeAction({ phase: "done", target: "pg-b", endedAt: T0 - 40_420 });
  const impact = { ...makeIncident().impact, writesUnavailableMs: 580 };

  it("says who took over, how long it took and that nothing was lost, once that was checked", () => {
    const incident = makeIncident({
      phase: "mitigated",
      actionIds: ["ACT-1"],
      impact: { ...impact, acknowledgedLost: 0 },
    });
    expect(headline(makePicture({ incidents: [incident], actions: [done] }))).toBe(
      "orders lost its primary 41 s ago. pg-b took over in 0.58 s; no acknowledged write was lost.",
    );
  });

  it("doesn't say that nothing was lost before anybody looked", () => {
    const incident = makeIncident({ phase: "mitigated", actionIds: ["ACT-1"], impact });
    expect(headline(makePicture({ incidents: [incident], actions: [done] }))).toContain("is being checked");
  });

  it("says it when writes were lost", () => {
    const incident = makeIncident({
      phase: "mitigated",
      actionIds: ["ACT-1"],
      impact: { ...impact, acknowledgedLost: 3 },
    });
    expect(headline(makePicture({ incidents: [incident], actions: [done] }))).toContain(
      "3 acknowledged writes were lost",
    );
  });

  it("says when all is as promised again", () => {
    const incident = makeIncident({
      phase: "resolved",
      resolvedAt: T0 - 1_000,
      actionIds: ["ACT-1"],
      impact: { ...impact, acknowledgedLost: 0 },
    });
    expect(headline(makePicture({ incidents: [incident], actions: [done] }))).toMatch(
      /no acknowledged write was lost\. Everything is as promised again\.$/,
    );
  });

  it("asks for a person when Holdfast stopped", () => {
    const incident = makeIncident({ actionIds: ["ACT-1"] });
    const action = makeAction({ phase: "needs-operator" });
    expect(headline(makePicture({ incidents: [incident], actions: [action] }))).toContain("needs a person to decide");
  });

  it("says why nobody takes over by itself, and what a person can do", () => {
    const refusal = { code: "async-needs-fencing", data: { node: "pg-a" } };
    const status = composeStatus(
      makePicture({ incidents: [makeIncident()], clusters: [makeCluster({ refusal })] }),
      T0,
    );
    expect(read(status.headline)).toContain("Nobody takes over by itself");
    expect(read(status.subline)).toContain("If you are sure that it is down, start the failover");
  });

  it("says that nothing happens while automation is held", () => {
    const clusters = [makeCluster({ automation: { state: "held", by: "dana", reason: "", at: T0 } })];
    expect(headline(makePicture({ incidents: [makeIncident()], clusters }))).toContain("nothing happens until you act");
  });

  it("leads with what still hurts, not with what has recovered", () => {
    const hurting = makeIncident({
      id: "INC-2",
      severity: 2,
      cause: { ...makeIncident().cause, kind: "dead-standby" },
    });
    const recovered = makeIncident({ phase: "mitigated", severity: 1 });
    expect(headline(makePicture({ incidents: [recovered, hurting] }))).toContain("has one standby fewer");
  });

  it("tells a suspicion as a suspicion", () => {
    const nodes = [makeNode("pg-a", { state: "suspect", stateSince: T0 - 2_000 }), makeNode("pg-b")];
    expect(headline(makePicture({ nodes }))).toBe("pg-a is silent for longer than usual It began 2 s ago.");
  });

  it("forgets a resolved incident after two minutes", () => {
    const resolved = makeIncident({ phase: "resolved", resolvedAt: T0 - 119_000 });
    expect(composeStatus(makePicture({ incidents: [resolved] }), T0).calm).toBe(false);
    expect(composeStatus(makePicture({ incidents: [resolved] }), T0 + 5_000).calm).toBe(true);
  });
});
