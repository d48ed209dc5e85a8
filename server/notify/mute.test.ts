import { describe, expect, it } from "vitest";
import { createState, defaultPolicy, isIncidentMuted, type Maintenance } from "../core/index.ts";
import { cluster, incident, node } from "../store/testing/fixtures.ts";

const now = 1_790_000_000_000;
const mute: Maintenance = {
  muteAlerts: true,
  holdAutomation: false,
  by: "ada",
  reason: "disk swap",
  until: now + 60_000,
};

describe("mute alerts", () => {
  const build = (options: { ofCluster?: Maintenance; ofNode?: Maintenance }) => {
    const state = createState(defaultPolicy);
    state.durable.clusters.set("orders", { ...cluster("orders", 1), maintenance: options.ofCluster ?? null });
    state.durable.nodes.set("pg-a", { ...node("pg-a"), maintenance: options.ofNode ?? null });
    return state;
  };
  const ofCluster = incident("INC-1");
  const ofMember = incident("INC-2", {
    cluster: null,
    cause: { ...incident("INC-2").cause, subject: { kind: "node", id: "pg-a" } },
  });

  it("of a cluster covers its incidents and those of its members, until it ends", () => {
    const state = build({ ofCluster: mute });
    expect(isIncidentMuted(state, ofCluster, now)).toBe(true);
    expect(isIncidentMuted(state, ofMember, now)).toBe(true);
    expect(isIncidentMuted(state, ofCluster, now + 60_000)).toBe(false);
    expect(isIncidentMuted(state, incident("INC-3", { cluster: "billing" }), now)).toBe(false);
  });

  it("of a node covers what is about that node; holding automation is another switch", () => {
    expect(isIncidentMuted(build({ ofNode: mute }), ofMember, now)).toBe(true);
    expect(isIncidentMuted(build({ ofNode: { ...mute, muteAlerts: false } }), ofMember, now)).toBe(false);
    expect(isIncidentMuted(build({}), ofMember, now)).toBe(false);
  });
});
