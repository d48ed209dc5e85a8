import { describe, expect, it } from "vitest";
import { applyWrites, decide } from "../control-plane.ts";
import type { Event, OperatorRequest } from "../event.ts";
import type { Incident } from "../incident/types.ts";
import { defaultPolicy } from "../policy/types.ts";
import type { HostMetrics } from "../replication/status.ts";
import { createState, type State } from "../state.ts";
import { findRule, type RuleNumbers } from "./rules.ts";

const wallStartMs = 1_790_000_000_000;
const minuteMs = 60_000;

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

/** A fleet of plain nodes, driven by heartbeats and ticks. */
class Fleet {
  readonly state: State = createState(defaultPolicy);
  readonly hosts = new Map<string, HostMetrics>();
  nowMs = 100_000;
  seq = 0;

  constructor(names: readonly string[]) {
    for (const id of names) {
      const node = { id, publicKey: id, zone: "z", labels: {}, enrolledAt: 0, revokedAt: null, maintenance: null };
      const base = { node: id, sessionId: id, bootId: "b", version: "1", address: "" };
      this.decide([{ kind: "node-enrolled", node }]);
      this.decide([{ kind: "agent-connected", ...base }]);
      this.hosts.set(id, calm);
    }
  }

  decide(events: readonly Event[]) {
    const now = { monoMs: this.nowMs, wallMs: wallStartMs + this.nowMs, entropy: `e${++this.seq}` };
    const decision = decide(this.state, events, now);
    applyWrites(this.state, decision.writes);
    return decision;
  }

  ask(request: OperatorRequest) {
    const actor = { id: "1", name: "ada", role: "operator" } as const;
    return this.decide([{ kind: "operator-requested", requestId: "r", actor, request }]);
  }

  /** Beats of all nodes every second, and a tick with each. */
  pass(ms: number): void {
    for (const end = this.nowMs + ms; this.nowMs < end; ) {
      this.nowMs += 1_000;
      const beats = [...this.hosts].map(
        ([node, host]): Event => ({
          kind: "heartbeat-received",
          node,
          sessionId: node,
          seq: this.nowMs,
          bootId: "b",
          monoMs: this.nowMs,
          wallMs: wallStartMs + this.nowMs,
          arrivalMs: this.nowMs,
          eager: false,
          loopLagMs: 0,
          host,
          postgres: null,
          peers: [],
          checks: [],
          workloads: [],
        }),
      );
      this.decide([...beats, { kind: "ticked" }]);
    }
  }

  set(node: string, change: Partial<HostMetrics>): void {
    this.hosts.set(node, { ...calm, ...change });
  }

  open(): Incident[] {
    return [...this.state.durable.incidents.values()].filter((incident) => incident.resolvedAt === null);
  }
}

const cpuNumbers = (change: Partial<RuleNumbers>): RuleNumbers => {
  const { enabled, raise, clear, raiseForMs, clearForMs } = findRule("cpu") as RuleNumbers;
  return { enabled, raise, clear, raiseForMs, clearForMs, floor: null, ...change };
};

describe("monitoring", () => {
  it("opens nothing for a calm fleet or a burst, and one incident for what lasts; ends it with the cause", () => {
    const fleet = new Fleet(["a", "b"]);
    fleet.pass(2 * minuteMs);
    fleet.set("a", { cpu: 1 });
    fleet.pass(4 * minuteMs);
    fleet.set("a", {});
    fleet.pass(minuteMs);
    expect(fleet.open()).toEqual([]);
    fleet.set("a", { cpu: 1 });
    fleet.pass(6 * minuteMs);
    const [incident, ...others] = fleet.open();
    expect(others).toEqual([]);
    expect(incident?.cause).toMatchObject({ kind: "overload", subject: { kind: "node", id: "a" }, class: "load" });
    expect(incident?.cause.evidence[0]).toMatchObject({
      code: "rule-cpu",
      data: { valuePercent: 100, limitPercent: 95, forMs: 5 * minuteMs },
    });
    fleet.set("a", {});
    fleet.pass(3 * minuteMs);
    expect(fleet.open()).toEqual([]);
  });

  it("puts further complaints of the subject beneath its incident, a graver one on top", () => {
    const fleet = new Fleet(["a"]);
    fleet.set("a", { cpu: 1, memoryUsedBytes: 15.9e9, diskUsedBytes: 97e9 });
    fleet.pass(7 * minuteMs);
    const [incident, ...others] = fleet.open();
    expect(others).toEqual([]);
    expect([incident?.cause, ...(incident?.symptoms ?? [])].map((verdict) => verdict?.kind)).toEqual([
      "disk-full",
      "memory-short",
      "overload",
    ]);
  });

  it("makes one incident of the same complaint of many at once, and of later ones others", () => {
    const names = Array.from({ length: 30 }, (_, i) => `n${i}`);
    const fleet = new Fleet([...names, "late"]);
    for (const name of names) fleet.set(name, { cpu: 1 });
    fleet.pass(6 * minuteMs);
    expect(fleet.open()).toHaveLength(1);
    expect(fleet.open()[0]?.symptoms).toHaveLength(29);
    fleet.set("late", { cpu: 1 });
    fleet.pass(10 * minuteMs);
    expect(fleet.open()).toHaveLength(2);
    for (const name of names) fleet.set(name, {});
    fleet.pass(3 * minuteMs);
    expect(fleet.open().map((incident) => incident.cause.subject.id)).toEqual(["late"]);
  });

  it("is quiet under a mute", () => {
    const fleet = new Fleet(["a"]);
    const maintenance = { muteAlerts: true, holdAutomation: false, by: "ada", reason: "x", until: null };
    fleet.ask({ kind: "set-node-maintenance", node: "a", maintenance });
    fleet.set("a", { cpu: 1 });
    fleet.pass(7 * minuteMs);
    expect(fleet.open()).toEqual([]);
    fleet.ask({ kind: "set-node-maintenance", node: "a", maintenance: null });
    fleet.pass(minuteMs);
    expect(fleet.open()).toHaveLength(1);
  });

  it("judges by the numbers a person set, audits them, and goes back to the defaults", () => {
    const fleet = new Fleet(["a"]);
    const numbers = cpuNumbers({ raise: 0.5, clear: 0.4, raiseForMs: 10_000, clearForMs: 10_000 });
    const set = fleet.ask({ kind: "set-monitor-rule", rule: "cpu", numbers, reason: "tight" });
    expect(set.replies[0]?.ok).toBe(true);
    const audit = set.writes.find((write) => write.kind === "append-audit");
    expect(audit?.value).toMatchObject({ verb: "rule-changed", before: { raise: 0.95 }, after: { raise: 0.5 } });
    fleet.set("a", { cpu: 0.6 });
    fleet.pass(minuteMs);
    expect(fleet.open()).toHaveLength(1);
    fleet.ask({ kind: "set-monitor-rule", rule: "cpu", numbers: null, reason: "" });
    fleet.pass(3 * minuteMs);
    expect(fleet.open()).toEqual([]);
    const bad = fleet.ask({ kind: "set-monitor-rule", rule: "cpu", numbers: cpuNumbers({ clear: 1 }), reason: "" });
    expect(bad.replies[0]).toMatchObject({ ok: false, code: "rule-order" });
    const unknown = fleet.ask({ kind: "set-monitor-rule", rule: "no", numbers: null, reason: "" });
    expect(unknown.replies[0]).toMatchObject({ ok: false, code: "unknown-rule" });
  });
});
