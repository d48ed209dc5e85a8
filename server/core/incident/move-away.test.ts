import { beforeEach, expect, it } from "vitest";
import type { Event, OperatorRequest } from "../event.ts";
import { planAction } from "../recovery/preflight.ts";
import type { HostMetrics } from "../replication/status.ts";
import { createServiceLive } from "../service/judge-indicators.ts";
import { beat, createHealthyCluster, type Puppet, play, setStatus } from "../testing/puppet.ts";
import type { Incident, Suspect } from "./types.ts";

const calm: HostMetrics = {
  cpu: 0.2,
  load1: 1,
  cores: 4,
  memoryUsedBytes: 4e9,
  memoryTotalBytes: 16e9,
  diskUsedBytes: 40e9,
  diskTotalBytes: 100e9,
  networkRxBytesPerSecond: 0,
  networkTxBytesPerSecond: 0,
};
const full: HostMetrics = { ...calm, diskUsedBytes: 97e9 };
const hogged: HostMetrics = { ...calm, cpu: 1 };
const automatic = { mode: "automatic", above: 0.9 } as const;
const admin = { id: "u", name: "Ada", role: "admin" } as const;

let puppet: Puppet;
let hosts: Map<string, HostMetrics>;

/** A cluster `orders` with the primary pg-a, whose agents tell of their hosts. */
beforeEach(() => {
  puppet = createHealthyCluster();
  hosts = new Map();
  run(6_000);
  expect(puppet.state.durable.clusters.get("orders")).toMatchObject({ primary: "pg-a", automation: { state: "on" } });
});

function run(ms: number): void {
  for (const until = puppet.clockMs + ms; puppet.clockMs < until; ) {
    puppet.clockMs += 250;
    const beats = [...puppet.statuses.keys()].flatMap((node) =>
      beat(puppet, node).map((event) => ({ ...event, host: hosts.get(node) ?? calm }) as Event),
    );
    play(puppet, [...beats, { kind: "ticked" }]);
  }
}

function ask(request: OperatorRequest) {
  return play(puppet, [{ kind: "operator-requested", requestId: "r", actor: admin, request }]).replies[0];
}

function incidentOf(kind: string): Incident | undefined {
  return [...puppet.state.durable.incidents.values()].find(({ cause }) => cause.kind === kind);
}

const primary = () => puppet.state.durable.clusters.get("orders")?.primary;

it("offers a switchover when the primary's disk is full, and one word of a person carries it out", () => {
  hosts.set("pg-a", full);
  run(6_000);
  const incident = incidentOf("disk-full");
  expect(incident?.recovery).toMatchObject({
    action: "switch-over",
    service: "orders",
    leaves: "pg-a",
    cause: "disk-full",
    state: "offered",
    reason: "policy-suggests",
  });
  const target = incident?.recovery?.target;
  expect(primary()).toBe("pg-a");
  puppet.unanswered.add("postgres.demote");
  expect(ask({ kind: "recover-service", incidentId: incident?.id ?? "" })).toMatchObject({ ok: true });
  const recovery = incidentOf("disk-full")?.recovery;
  expect(recovery).toMatchObject({ state: "requested", by: "Ada", work: { kind: "action" } });
  const action = puppet.state.durable.actions.get(recovery?.work?.id ?? "");
  expect(action).toMatchObject({
    kind: "switchover",
    from: "pg-a",
    target,
    automatic: false,
    incidentId: incident?.id,
  });
  const demote = puppet.commands.findLast(({ verb }) => verb.verb === "postgres.demote");
  setStatus(puppet, "pg-a", { state: "stopped", exit: { pid: 1, code: 0, signal: null, reaped: true, agoMs: 0 } });
  const outcome = { status: "done", data: { lsn: puppet.statuses.get("pg-a")?.lsn ?? 0 } } as const;
  play(puppet, [{ kind: "command-finished", node: "pg-a", commandId: demote?.id ?? "", outcome, nodeAt: 0 }]);
  run(10_000);
  expect(primary()).toBe(target);
  expect(incidentOf("disk-full")?.recovery).toMatchObject({
    state: "done",
    detail: `${action?.id} (${target}): done.`,
  });
});

it("offers nothing for a standby's host, and nothing where no other host is well", () => {
  hosts.set("pg-b", full);
  run(6_000);
  expect(incidentOf("disk-full")?.recovery ?? null).toBeNull();
  hosts.set("pg-a", full);
  hosts.set("pg-c", full);
  run(6_000);
  const found = [...puppet.state.durable.incidents.values()];
  expect(found.map(({ cause }) => `${cause.kind} ${cause.subject.id}`)).toEqual([
    "disk-full pg-b",
    "disk-full pg-a",
    "disk-full pg-c",
  ]);
  expect(found.filter(({ recovery }) => recovery != null)).toEqual([]);
});

it("goes to a host that is well, and nowhere when the primary's is well again", () => {
  hosts.set("pg-a", full);
  run(6_000);
  const first = incidentOf("disk-full")?.recovery?.target ?? "";
  hosts.set(first, hogged);
  run(6_000);
  const other = first === "pg-b" ? "pg-c" : "pg-b";
  expect(incidentOf("disk-full")?.recovery).toMatchObject({ state: "offered", target: other });
  hosts.delete("pg-a");
  run(70_000);
  expect(incidentOf("disk-full")).toMatchObject({ phase: "resolved" });
  const { id } = incidentOf("disk-full") as Incident;
  expect(ask({ kind: "recover-service", incidentId: id })).toMatchObject({ ok: false, code: "incident-phase" });
  expect(primary()).toBe("pg-a");
});

it("goes by a person's word, never by itself, to a host that suffers from something less", () => {
  for (const node of ["pg-b", "pg-c"]) hosts.set(node, hogged);
  run(6_000);
  hosts.set("pg-a", full);
  run(6_000);
  expect(incidentOf("disk-full")?.recovery).toMatchObject({ state: "offered", reason: "target-strained" });
  ask({ kind: "set-cause-policy", cause: "disk-full", rule: automatic });
  run(6_000);
  const incident = incidentOf("disk-full");
  expect(incident?.recovery).toMatchObject({ state: "offered", reason: "target-strained" });
  expect(primary()).toBe("pg-a");
  expect(ask({ kind: "recover-service", incidentId: incident?.id ?? "" })).toMatchObject({ ok: true });
});

it("runs by itself where the policy says so, once: a load that follows the primary is left to a person", () => {
  ask({ kind: "set-cause-policy", cause: "disk-full", rule: automatic });
  hosts.set("pg-a", full);
  run(16_000);
  const recovery = incidentOf("disk-full")?.recovery;
  expect(recovery).toMatchObject({ state: "done", by: "holdfast", automatic: true });
  expect(puppet.state.durable.actions.get(recovery?.work?.id ?? "")).toMatchObject({ automatic: true });
  const next = primary() ?? "";
  expect(next).not.toBe("pg-a");
  hosts.delete("pg-a");
  hosts.set(next, full);
  run(30_000);
  expect(primary()).toBe(next);
  const offers = [...puppet.state.durable.incidents.values()].map((each) => each.recovery);
  expect(offers).toContainEqual(expect.objectContaining({ leaves: next, state: "offered", reason: "moved-lately" }));
});

it("does not run by itself while automation is held or somebody works there", () => {
  ask({ kind: "set-cause-policy", cause: "disk-full", rule: automatic });
  ask({ kind: "set-automation", cluster: "orders", state: "held", reason: "upgrade" });
  hosts.set("pg-a", full);
  run(10_000);
  expect(incidentOf("disk-full")?.recovery).toMatchObject({ state: "offered", reason: "automation-held" });
  ask({ kind: "set-automation", cluster: "orders", state: "on", reason: "done" });
  const maintenance = { by: "Ada", reason: "disk", muteAlerts: false, holdAutomation: true, until: null };
  for (const node of ["pg-a", "pg-b", "pg-c"]) ask({ kind: "set-node-maintenance", node, maintenance });
  run(1_000);
  expect(incidentOf("disk-full")?.recovery).toMatchObject({ reason: "maintenance" });
  expect(primary()).toBe("pg-a");
});

it("has its preflight's last word: what was blocked since the offer does not begin", () => {
  hosts.set("pg-a", full);
  run(6_000);
  const incidentId = incidentOf("disk-full")?.id ?? "";
  for (const node of ["pg-b", "pg-c"]) puppet.mute.add(node);
  puppet.clockMs += 20_000;
  expect(ask({ kind: "recover-service", incidentId })).toMatchObject({ ok: false, code: "plan-blocked" });
  expect(incidentOf("disk-full")?.recovery).toMatchObject({ state: "offered" });
  expect(primary()).toBe("pg-a");
});

it("does not begin when somebody has moved the primary elsewhere since", () => {
  hosts.set("pg-a", full);
  run(6_000);
  const { id, recovery } = incidentOf("disk-full") as Incident;
  const target = recovery?.target === "pg-b" ? "pg-c" : "pg-b";
  const now = { monoMs: puppet.clockMs, wallMs: 0, entropy: "" };
  const { planHash } = planAction(puppet.state, { kind: "switchover", cluster: "orders", target }, now);
  expect(ask({ kind: "switchover", cluster: "orders", target, planHash, reason: "disk" })).toMatchObject({ ok: true });
  expect(primary()).toBe(target);
  expect(ask({ kind: "recover-service", incidentId: id })).toMatchObject({ ok: false, code: "nothing-suggested" });
  run(1_000);
  expect(incidentOf("disk-full")?.recovery).toBeNull();
});

/** The users of `shop` suffer, and the localizer names the database behind it. */
function localizeDatabase(confidence: number): void {
  const figures = {
    isEntry: true,
    requests: 100,
    errorShare: 0,
    latencyP95Ms: 50,
    memoryBytes: null,
    nodes: ["app-1"],
  };
  const shop = { ...figures, name: "shop", reaches: ["postgresql/shop"], clusters: ["orders"] };
  puppet.state.live.services.set("shop", createServiceLive(shop));
  for (let second = 0; second < 5; second += 1) {
    run(1_000);
    play(puppet, [{ kind: "services-measured", services: [{ ...shop, errorShare: 0.5 }] }]);
  }
  const subject = { kind: "service", id: "postgresql/shop" } as const;
  const evidence = [{ code: "excess-latency", observer: "shop", stance: "for", data: {} }] as const;
  const suspect: Suspect = { subject, class: "software", confidence, cause: "query-slow", evidence };
  const localization = { at: 0, faultAt: 0, tookMs: 1, path: [], edges: [], services: 2, spans: 9, missing: [] };
  const incidentId = incidentOf("service-degraded")?.id ?? "";
  play(puppet, [{ kind: "fault-localized", incidentId, suspects: [suspect], localization, remedy: null }]);
}

it("is offered for what users feel, too, when the database behind it is named and its host is not well", () => {
  localizeDatabase(0.95);
  run(1_000);
  expect(incidentOf("service-degraded")?.recovery ?? null).toBeNull();
  hosts.set("pg-a", hogged);
  run(6_000);
  const offer = { action: "switch-over", leaves: "pg-a", cause: "overload", state: "offered" };
  expect(incidentOf("service-degraded")?.recovery).toMatchObject(offer);
});

it("is no recovery by itself on what the callers of the database measured, before its own host has said so for long enough", () => {
  ask({ kind: "set-cause-policy", cause: "overload", rule: automatic });
  localizeDatabase(0.95);
  hosts.set("pg-a", hogged);
  run(60_000);
  expect(incidentOf("service-degraded")?.recovery).toMatchObject({
    state: "offered",
    reason: "not-for-long-enough",
  });
  expect(primary()).toBe("pg-a");
  run(5 * 60_000);
  expect(incidentOf("service-degraded")?.recovery).toMatchObject({ state: "done", automatic: true });
  expect(primary()).not.toBe("pg-a");
});
