import { expect, it } from "vitest";
import type { Incident, Suspect } from "../incident/types.ts";
import { createPuppet, type Puppet, play } from "../testing/puppet.ts";
import type { ServiceMeasure } from "./types.ts";

const calm: ServiceMeasure = {
  name: "gateway",
  isEntry: true,
  requests: 100,
  errorShare: 0,
  latencyP95Ms: 50,
  memoryBytes: 100e6,
  nodes: ["app-1"],
  reaches: ["orders", "db"],
  clusters: [],
};
const orders: ServiceMeasure = { ...calm, name: "orders", isEntry: false, reaches: ["db"] };

function measure(puppet: Puppet, seconds: number, ...services: readonly Partial<ServiceMeasure>[]): void {
  for (let second = 0; second < seconds; second += 1) {
    puppet.clockMs += 1_000;
    const list = services.map((each) => ({ ...(each.name === "orders" ? orders : calm), ...each }));
    play(puppet, [{ kind: "services-measured", services: list }]);
  }
}

function incidents(puppet: Puppet): readonly Incident[] {
  return [...puppet.state.durable.incidents.values()];
}

function createCalm(): Puppet {
  const puppet = createPuppet();
  measure(puppet, 40, {}, { name: "orders" });
  return puppet;
}

const suspect: Suspect = {
  subject: { kind: "service", id: "orders" },
  class: "load",
  confidence: 0.97,
  cause: "pool-exhausted",
  evidence: [{ code: "logs-new-error", observer: "orders", stance: "for", data: {} }],
};

function localized(puppet: Puppet, patch: Partial<Suspect> = {}): void {
  const [incident] = incidents(puppet);
  play(puppet, [
    {
      kind: "fault-localized",
      incidentId: incident?.id ?? "",
      suspects: [{ ...suspect, ...patch }],
      localization: { at: 0, faultAt: 0, tookMs: 1, path: [], edges: [], services: 2, spans: 9, missing: [] },
      remedy: { action: "restart-service", service: "orders" },
    },
  ]);
}

it("opens one incident for the entry, and takes the services below it as symptoms", () => {
  const puppet = createCalm();
  measure(puppet, 2, { errorShare: 0.3 }, { name: "orders", errorShare: 0.4 });
  expect(incidents(puppet)).toEqual([]);
  measure(puppet, 10, { errorShare: 0.3 }, { name: "orders", errorShare: 0.4 });
  expect(incidents(puppet)).toHaveLength(1);
  const [incident] = incidents(puppet);
  expect(incident?.cause).toMatchObject({ kind: "service-degraded", subject: { id: "gateway" } });
  expect(incident?.symptoms.map(({ subject }) => subject.id)).toEqual(["orders"]);
});

it("finds lateness against the service's own normal, and leaves a restless one alone", () => {
  const puppet = createCalm();
  measure(puppet, 5, { latencyP95Ms: 120 }, { name: "orders" });
  expect(incidents(puppet)).toEqual([]);
  measure(puppet, 5, { latencyP95Ms: 400 }, { name: "orders" });
  expect(incidents(puppet)).toHaveLength(1);
});

it("ends it after a while without a breach, and takes a flap for the same fault", () => {
  const puppet = createCalm();
  measure(puppet, 5, { errorShare: 0.3 }, { name: "orders" });
  measure(puppet, 10, {}, { name: "orders" });
  expect(incidents(puppet)[0]?.phase).toBe("open");
  measure(puppet, 10, {}, { name: "orders" });
  expect(incidents(puppet)[0]?.phase).toBe("resolved");
  measure(puppet, 5, { errorShare: 0.3 }, { name: "orders" });
  expect(incidents(puppet)).toHaveLength(1);
  expect(incidents(puppet)[0]).toMatchObject({ phase: "open", resolvedAt: null });
});

it("opens another one for what shows in another way, however soon it comes", () => {
  const puppet = createCalm();
  measure(puppet, 5, { latencyP95Ms: 900 }, { name: "orders" });
  measure(puppet, 20, {}, { name: "orders" });
  measure(puppet, 5, { errorShare: 0.3 }, { name: "orders" });
  expect(incidents(puppet).map(({ cause }) => cause.evidence[0]?.code)).toEqual(["latency-p95", "error-share"]);
});

it("opens a new one that links back when it happens again later", () => {
  const puppet = createCalm();
  measure(puppet, 5, { errorShare: 0.3 }, { name: "orders" });
  measure(puppet, 60, {}, { name: "orders" });
  measure(puppet, 5, { errorShare: 0.3 }, { name: "orders" });
  expect(incidents(puppet)).toHaveLength(2);
  expect(incidents(puppet)[1]?.follows).toBe(incidents(puppet)[0]?.id);
});

it("opens one for memory that grows before anybody feels it, and takes in whoever feels it then", () => {
  const puppet = createCalm();
  for (let second = 0; second < 20; second += 1)
    measure(puppet, 1, {}, { name: "orders", memoryBytes: 100e6 + second * 20e6 });
  expect(incidents(puppet)).toHaveLength(1);
  expect(incidents(puppet)[0]?.cause.subject.id).toBe("orders");
  measure(puppet, 5, { latencyP95Ms: 900 }, { name: "orders", memoryBytes: 500e6 });
  expect(incidents(puppet)[0]?.symptoms.map(({ subject }) => subject.id)).toEqual(["gateway"]);
  measure(puppet, 100, {}, { name: "orders", memoryBytes: 500e6 });
  expect(incidents(puppet).map(({ phase }) => phase)).toEqual(["resolved"]);
});

it("ends what grows without any request: when it ceases to, and when its process is gone", () => {
  for (const after of [[{ name: "orders", requests: 0, memoryBytes: 100e6 }], []]) {
    const puppet = createCalm();
    for (let second = 0; second < 20; second += 1)
      measure(puppet, 1, {}, { name: "orders", requests: 0, memoryBytes: 100e6 + second * 20e6 });
    expect(incidents(puppet).map(({ phase }) => phase)).toEqual(["open"]);
    measure(puppet, 30, {}, ...after);
    expect(incidents(puppet).map(({ phase }) => phase)).toEqual(["resolved"]);
  }
});

it("only suggests by default, and acts when a person says so", () => {
  const puppet = createCalm();
  measure(puppet, 5, { errorShare: 0.3 }, { name: "orders" });
  localized(puppet);
  const [incident] = incidents(puppet);
  expect(incident?.recovery).toMatchObject({ state: "offered", reason: "policy-suggests" });
  const actor = { id: "u", name: "Ada", role: "operator" } as const;
  const request = { kind: "recover-service", incidentId: incident?.id ?? "" } as const;
  const { replies } = play(puppet, [{ kind: "operator-requested", requestId: "r", actor, request }]);
  expect(replies[0]).toMatchObject({ ok: true });
  expect(incidents(puppet)[0]?.recovery).toMatchObject({ state: "requested", by: "Ada", automatic: false });
  const { requestedAt } = incidents(puppet)[0]?.recovery ?? {};
  const answer = { kind: "recovery-finished", incidentId: incident?.id ?? "", ok: true, detail: "started" } as const;
  play(puppet, [{ ...answer, requestedAt: (requestedAt ?? 0) - 1 }]);
  expect(incidents(puppet)[0]?.recovery?.state).toBe("requested");
  play(puppet, [{ ...answer, requestedAt: requestedAt ?? 0 }]);
  expect(incidents(puppet)[0]?.recovery).toMatchObject({ state: "done", detail: "started" });
});

it("acts by itself only where the policy says so, above its confidence, and on evidence about that very service", () => {
  const automatic = { causes: { "pool-exhausted": { mode: "automatic", above: 0.9 } } } as const;
  const statesOf = (patch: Partial<Suspect>) => {
    const puppet = createPuppet(automatic);
    measure(puppet, 40, {}, { name: "orders" });
    measure(puppet, 5, { errorShare: 0.3 }, { name: "orders" });
    localized(puppet, patch);
    return incidents(puppet)[0]?.recovery;
  };
  expect(statesOf({})).toMatchObject({ state: "requested", automatic: true });
  expect(statesOf({ confidence: 0.8 })).toMatchObject({ state: "offered", reason: "not-sure-enough" });
  const hearsay = [{ code: "network-gap", observer: "gateway", stance: "for", data: {} }] as const;
  expect(statesOf({ evidence: hearsay })).toMatchObject({ state: "offered", reason: "no-evidence-of-its-own" });
  const released = [{ code: "release-changed", observer: "orders", stance: "for", data: {} }] as const;
  expect(statesOf({ evidence: released })).toMatchObject({ state: "offered", reason: "no-evidence-of-its-own" });
  const figures = [{ code: "lost-requests", observer: "orders", stance: "for", data: {} }] as const;
  expect(statesOf({ evidence: figures })).toMatchObject({ state: "requested" });
  expect(statesOf({ confidence: 0.3 })).toBeNull();
});

it("does not act under the hands of who works on the service's node and holds automation", () => {
  const puppet = createPuppet({ causes: { "pool-exhausted": { mode: "automatic", above: 0.9 } } });
  measure(puppet, 40, {}, { name: "orders", nodes: ["app-1"] });
  const record = { id: "app-1", publicKey: "k", zone: "z", labels: {}, enrolledAt: 0, revokedAt: null };
  const maintenance = { by: "ada", reason: "disk", muteAlerts: false, holdAutomation: true, until: null };
  play(puppet, [{ kind: "node-enrolled", node: { ...record, maintenance } }]);
  measure(puppet, 5, { errorShare: 0.3 }, { name: "orders", nodes: ["app-1"] });
  localized(puppet, {});
  expect(incidents(puppet)[0]?.recovery).toMatchObject({ state: "offered", reason: "maintenance" });
});
