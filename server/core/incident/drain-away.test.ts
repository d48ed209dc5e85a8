import { beforeEach, expect, it } from "vitest";
import { createDetector } from "../detection/accrual.ts";
import { documentKey, getDocument, listDocuments, putDocument } from "../documents.ts";
import { createDraft, type Draft, getIncident } from "../draft.ts";
import { createSubjectMonitor } from "../monitoring/monitor.ts";
import { defaultPolicy } from "../policy/types.ts";
import type { RedisDocument } from "../redis/servers.ts";
import type { SlotRange } from "../redis/status.ts";
import { createState, type State } from "../state.ts";
import type { NodeLive } from "../topology/types.ts";
import { offerMoves } from "./move-away.ts";
import { followRecoveries, requestRecovery } from "./recovery-by-cause.ts";
import type { Incident, SuggestedRecovery } from "./types.ts";

const now = { monoMs: 60_000, wallMs: 1_700_000_000_000, entropy: "e" };
const ada = { id: "u", name: "Ada", role: "operator" } as const;
const slots: Readonly<Record<string, readonly SlotRange[]>> = {
  "redis-a": [[0, 4_999]],
  "redis-b": [[5_000, 9_999]],
  "redis-c": [[10_000, 16_383]],
};

let state: State;

/** Three masters of the Redis Cluster `sessions`, each on a host of its own; `ill`: hosts whose disks are full. */
function begin(...ill: readonly string[]): Draft {
  state = createState(defaultPolicy);
  const detector = { intervalMs: 250, mistakesPerNodeDay: 0.1, minSilenceMs: 1_000, maxSilenceMs: 5_000 };
  for (const [instance, range] of Object.entries(slots)) {
    const ids = { id: instance, slots: range, configEpoch: 1, migrating: [], importing: [], masterId: null };
    const status = { cluster: "sessions", instance, role: "master", state: "running", shard: { ...ids, state: "ok" } };
    const heard = { connected: true, lastFrameAtMs: now.monoMs, connectedAtMs: 0, statusAtMs: now.monoMs };
    const live = { ...heard, detector: createDetector(detector), redis: [status] };
    state.live.nodes.set(hostOf(instance), live as unknown as NodeLive);
  }
  for (const host of ill) {
    const monitor = createSubjectMonitor();
    monitor.rules.set("disk-full", { raised: true, pendingSinceMs: null, raisedSinceMs: now.wallMs });
    monitor.latest.set("disk-full", { value: 0.97, usual: null, deviations: null });
    monitor.raised = 1;
    state.live.monitors.set(`node:${host}`, monitor);
    const subject = { kind: "node", id: host } as const;
    const cause = { kind: "disk-full", class: "hardware", subject, cluster: null, confidence: 0.95, evidence: [] };
    const incident = { id: `INC-${host}`, cause, symptoms: [], suspects: [], phase: "open", resolvedAt: null };
    state.durable.incidents.set(incident.id, incident as unknown as Incident);
  }
  const members = Object.keys(slots).map((id, port) => [id, { id, node: hostOf(id), host: "h", port }]);
  const automation = { state: "on", by: "", reason: "", at: 0 };
  state.durable.documents.set(documentKey("redis", "sessions"), {
    kind: "redis",
    id: "sessions",
    openedAt: 0,
    closedAt: null,
    mode: "cluster",
    members: Object.fromEntries(members),
    automation,
    maintenance: null,
    lastMigration: null,
  } as unknown as RedisDocument);
  const draft = createDraft(state, now);
  offerMoves(draft);
  return draft;
}

const hostOf = (instance: string) => instance.replace("redis", "host");
const recoveryOf = (draft: Draft, host: string) => getIncident(draft, `INC-${host}`)?.recovery as SuggestedRecovery;

let draft: Draft;
beforeEach(() => {
  draft = begin("host-b");
});

it("offers to drain the master of a Redis Cluster whose host is not well", () => {
  expect(recoveryOf(draft, "host-b")).toMatchObject({
    action: "drain-shard",
    service: "sessions",
    leaves: "redis-b",
    target: null,
    cause: "disk-full",
    state: "offered",
  });
});

it("is the move of slots that a person would run, and ends as that ends", () => {
  expect(requestRecovery(draft, getIncident(draft, "INC-host-b") as Incident, ada)).toBeNull();
  const [migration] = listDocuments(draft, "redis-migration");
  expect(migration).toMatchObject({ migration: "drain", drained: "redis-b", slotsTotal: 5_000, by: "Ada" });
  const work = { kind: "redis-migration", id: migration?.id };
  expect(recoveryOf(draft, "host-b")).toMatchObject({ state: "requested", work });
  followRecoveries(draft);
  expect(recoveryOf(draft, "host-b").state).toBe("requested");
  if (migration !== undefined) putDocument(draft, { ...migration, phase: "done", slotsMoved: 5_000, closedAt: 1 });
  followRecoveries(draft);
  expect(recoveryOf(draft, "host-b")).toMatchObject({ state: "done", detail: `${migration?.id} (5000/5000): done.` });
});

it("does not begin under a check that blocks it", () => {
  const status = state.live.nodes.get("host-c")?.redis[0]?.shard as unknown as { state: string };
  status.state = "fail";
  const refusal = requestRecovery(draft, getIncident(draft, "INC-host-b") as Incident, ada);
  expect(refusal).toMatchObject({ code: "plan-blocked", data: { check: "redis-cluster-state" } });
  expect(recoveryOf(draft, "host-b").state).toBe("offered");
  expect(listDocuments(draft, "redis-migration")).toEqual([]);
});

it("is not offered where the slots would come to a host that is no better", () => {
  expect(recoveryOf(begin("host-b", "host-c"), "host-b") ?? null).toBeNull();
});

it("is not offered while other slots move", () => {
  const open = {
    ...getDocument(draft, "redis", "sessions"),
    kind: "redis-migration",
    id: "MIG-9",
    cluster: "sessions",
  };
  state.durable.documents.set("redis-migration:MIG-9", open as never);
  const moving = createDraft(state, now);
  offerMoves(moving);
  expect(recoveryOf(moving, "host-b") ?? null).toBeNull();
});

it("says so when who would take the slots is busy", () => {
  const monitor = createSubjectMonitor();
  monitor.rules.set("load", { raised: false, pendingSinceMs: now.wallMs, raisedSinceMs: null });
  state.live.monitors.set("node:host-c", monitor);
  const again = createDraft(state, now);
  offerMoves(again);
  expect(recoveryOf(again, "host-b")).toMatchObject({ state: "offered", reason: "target-strained" });
});
