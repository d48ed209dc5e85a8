import { beforeEach, expect, it } from "vitest";
import { Fleet } from "../changes/testing/fleet.ts";
import type { Decision, Incident, Policy } from "../index.ts";
import type { ServiceMeasure } from "../service/types.ts";

const measure: ServiceMeasure = {
  name: "web",
  isEntry: true,
  requests: 100,
  errorShare: 0,
  latencyP95Ms: 50,
  memoryBytes: null,
  nodes: ["web-1"],
  reaches: [],
  clusters: [],
};
const ada = { id: "u", name: "Ada", role: "operator" } as const;

let fleet: Fleet;
/** What was told of the incident's recovery, in all decisions. */
let told: string[];

function play(events: Parameters<Fleet["play"]>[0]): Decision {
  return fleet.play(events);
}

function listen(to: Fleet): Fleet {
  const { play: played } = to;
  to.play = (events) => {
    const decision = played.call(to, events);
    for (const write of decision.writes) {
      if (write.kind === "append-timeline" && write.value.incidentId === "INC-1" && write.value.lane === "action")
        told.push(write.value.kind);
    }
    return decision;
  };
  return to;
}

function incident(): Incident {
  return fleet.state.durable.incidents.get("INC-1") as Incident;
}

/** `web` breaks, and the localizer names it. */
function breakWeb(policy: Partial<Policy> = {}): void {
  Object.assign(fleet.state.durable, { policy: { ...fleet.state.durable.policy, ...policy } });
  for (let second = 0; second < 5; second += 1) {
    play([{ kind: "services-measured", services: [{ ...measure, errorShare: 0.5 }] }]);
    fleet.pass(1_000);
  }
  localize();
}

function localize(action: "restart-service" | "roll-back-release" = "restart-service"): void {
  const evidence = [{ code: "logs-new-error", observer: "web", stance: "for", data: {} }] as const;
  const subject = { kind: "service", id: "web" } as const;
  play([
    {
      kind: "fault-localized",
      incidentId: "INC-1",
      suspects: [{ subject, class: "load", confidence: 0.97, cause: "pool-exhausted", evidence }],
      localization: { at: 0, faultAt: 0, tookMs: 1, path: [], edges: [], services: 1, spans: 9, missing: [] },
      remedy: { action, service: "web" },
    },
  ]);
}

function recover(): Decision["replies"] {
  const request = { kind: "recover-service", incidentId: "INC-1" } as const;
  return play([{ kind: "operator-requested", requestId: "r", actor: ada, request }]).replies;
}

/** Another process takes over with what was stored. */
function startAgain(): void {
  const next = new Fleet();
  Object.assign(next.state.durable, structuredClone(fleet.state.durable));
  for (const [node, status] of fleet.programs) next.programs.set(node, status);
  next.nowMs = fleet.nowMs;
  fleet = listen(next);
  fleet.pass(500);
}

beforeEach(() => {
  told = [];
  fleet = listen(new Fleet());
});

it("is a change from the same commit on, and its outcome is the change's end, told once", () => {
  breakWeb();
  expect(recover()).toMatchObject([{ ok: true }]);
  expect(incident().recovery).toMatchObject({ state: "requested", by: "Ada", work: { kind: "change", id: "CHG-1" } });
  expect(fleet.change()).toMatchObject({ id: "CHG-1", by: "Ada", automatic: false });
  fleet.pass(20_000);
  expect(fleet.asked).toEqual(["do web-1", "do web-2", "do web-3"]);
  expect(incident().recovery).toMatchObject({ state: "done", detail: "CHG-1 (web restart): done." });
  expect(told).toEqual(["restart-service-requested", "restart-service-done"]);
});

it("goes on over a restart of the control plane: no second change, one outcome", () => {
  breakWeb();
  recover();
  fleet.pass(4_000);
  startAgain();
  expect(incident().recovery?.state).toBe("requested");
  fleet.pass(20_000);
  expect(fleet.state.durable.counters.change).toBe(1);
  expect(told).toEqual(["restart-service-requested", "restart-service-done"]);
});

it("fails as its change does", () => {
  breakWeb();
  fleet.bad.add("1.0");
  recover();
  fleet.pass(20_000);
  expect(incident().recovery).toMatchObject({ state: "failed", detail: "CHG-1 (web restart): crashed." });
  expect(told).toEqual(["restart-service-requested", "restart-service-failed"]);
});

it("does not begin while a change of the service is under way, and is no failure then", () => {
  breakWeb();
  fleet.rollOut("2.0", "2pc");
  expect(recover()).toMatchObject([{ ok: false, code: "change-under-way", data: { change: "CHG-1" } }]);
  expect(incident().recovery?.state).toBe("offered");
  expect(told).toEqual([]);
});

it("stays an offer with its reason where it would run by itself and can't begin", () => {
  fleet.silent = "web-3";
  fleet.rollOut("2.0", "2pc");
  breakWeb({ causes: { "pool-exhausted": { mode: "automatic", above: 0.9 } } });
  expect(incident().recovery).toMatchObject({ state: "offered", reason: "refused", detail: "change-under-way" });
  fleet.comeBack();
  fleet.pass(20_000);
  localize();
  expect(incident().recovery).toMatchObject({ state: "requested", by: "holdfast", automatic: true });
  expect(fleet.change()).toMatchObject({ automatic: true });
});
