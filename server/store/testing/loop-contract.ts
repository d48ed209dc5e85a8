import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type DocumentOf, defaultPolicy, type Write } from "../../core/index.ts";
import type { SpoolRecord } from "../../protocol/index.ts";
import type { Backend, OpenBackend } from "./backend.ts";
import { action, cluster, command, draft, entry, incident, node, now, trace } from "./fixtures.ts";

/** What the loop relies on. */
export function describeLoopContract(getBackend: () => Backend): void {
  let backend: OpenBackend;
  beforeEach(async () => {
    backend = await getBackend().open();
  });
  afterEach(() => backend.close());

  const commitAll = async (writes: readonly Write[]) => {
    const { store } = backend.stores;
    const epoch = await store.lead("a");
    const outcome = await store.commit(epoch, writes);
    if (!outcome.ok) throw new Error(outcome.detail);
    return outcome;
  };

  describe("commit", () => {
    it("writes all of a batch and answers with numbered timeline entries in their order", async () => {
      const outcome = await commitAll([
        { kind: "put-node", value: node("pg-a") },
        { kind: "put-cluster", value: cluster("orders", 1) },
        { kind: "put-cluster", value: cluster("orders", 2) },
        { kind: "put-incident", value: incident("INC-1") },
        { kind: "put-action", value: action("ACT-1") },
        { kind: "put-command", value: command("CMD-1") },
        { kind: "put-counters", value: { incident: 1, action: 1 } },
        { kind: "put-policy", value: { ...defaultPolicy, failoverBudget: 7 } },
        { kind: "append-timeline", value: entry("first") },
        { kind: "append-timeline", value: entry("second") },
        { kind: "append-note", value: { id: "N-1", incidentId: "INC-1", at: now, author: "ada", text: "seen" } },
        { kind: "append-audit", value: draft("failover-started") },
      ]);
      expect(outcome.timeline.map(({ seq, kind }) => [seq, kind])).toEqual([
        [1, "first"],
        [2, "second"],
      ]);
      const loaded = await backend.stores.store.load();
      expect(loaded.nodes).toEqual(new Map([["pg-a", node("pg-a")]]));
      expect(loaded.clusters).toEqual(new Map([["orders", cluster("orders", 2)]]));
      expect(loaded.incidents).toEqual(new Map([["INC-1", incident("INC-1")]]));
      expect(loaded.actions).toEqual(new Map([["ACT-1", action("ACT-1")]]));
      expect(loaded.commands).toEqual(new Map([["CMD-1", command("CMD-1")]]));
      expect(loaded.counters).toEqual({ incident: 1, action: 1 });
      expect(loaded.policy?.failoverBudget).toBe(7);
      expect(await backend.stores.reads.timeline("INC-1")).toEqual(outcome.timeline);
      expect(await backend.stores.reads.notes("INC-1")).toHaveLength(1);
      expect(await backend.stores.reads.verifyAudit()).toMatchObject({ ok: true, entries: 1 });
    });

    it("keeps documents by kind and id, loads the open ones and pages through all, newest first", async () => {
      const document = (
        id: string,
        openedAt: number,
        closedAt: number | null = null,
      ): DocumentOf<"declared-dependency"> => ({
        kind: "declared-dependency",
        id,
        openedAt,
        closedAt,
        from: "orders",
        to: id,
        by: "ada",
      });
      await commitAll([
        { kind: "put-document", value: document("a", now) },
        { kind: "put-document", value: document("b", now + 1) },
        { kind: "put-document", value: document("c", now + 1, now + 5) },
        { kind: "put-document", value: { ...document("a", now), by: "grace" } },
      ]);
      const { store, reads } = backend.stores;
      expect([...(await store.load()).documents.keys()].sort()).toEqual([
        "declared-dependency:a",
        "declared-dependency:b",
      ]);
      expect(await reads.document("declared-dependency", "a")).toEqual({ ...document("a", now), by: "grace" });
      expect(await reads.document("declared-dependency", "z")).toBeNull();
      const first = await reads.documents({ kind: "declared-dependency", limit: 2 });
      expect(first.items.map((item) => item.id)).toEqual(["c", "b"]);
      const rest = await reads.documents({ kind: "declared-dependency", limit: 2, cursor: first.nextCursor ?? "" });
      expect(rest).toMatchObject({ items: [{ id: "a" }], nextCursor: null });
      const closed = await reads.documents({ kind: "declared-dependency", open: false, limit: 9 });
      expect(closed.items.map((item) => item.id)).toEqual(["c"]);
    });

    it("numbers timeline entries without a gap over several commits, also when one was refused between", async () => {
      const { store } = backend.stores;
      const epoch = await store.lead("a");
      await store.commit(epoch, [{ kind: "append-timeline", value: entry("one") }]);
      await store.commit(epoch + 5, [{ kind: "append-timeline", value: entry("refused") }]);
      await store.commit(epoch, [{ kind: "append-timeline", value: entry("two") }]);
      const found = await backend.stores.reads.timeline("INC-1");
      expect(found.map(({ seq, kind }) => [seq, kind])).toEqual([
        [1, "one"],
        [2, "two"],
      ]);
    });

    it("stores nothing of a batch from a leader that was replaced, and says who leads", async () => {
      const { store } = backend.stores;
      const other = backend.openAnother().store;
      const first = await store.lead("old");
      const second = await other.lead("new");
      expect(second).toBeGreaterThan(first);
      const outcome = await store.commit(first, [
        { kind: "put-node", value: node("pg-a") },
        { kind: "append-timeline", value: entry("never") },
        { kind: "append-audit", value: draft("never") },
      ]);
      expect(outcome).toMatchObject({ ok: false, code: "conflict" });
      expect(outcome.ok ? "" : outcome.detail).toContain("new");
      expect((await other.load()).nodes.size).toBe(0);
      expect(await backend.stores.reads.verifyAudit()).toMatchObject({ ok: true, entries: 0 });
      expect(await other.commit(second, [{ kind: "put-node", value: node("pg-a") }])).toMatchObject({ ok: true });
    });

    it("takes text that a database's JSON refuses", async () => {
      const hostile = "a\0b\ud800c \\u0000";
      await commitAll([
        { kind: "append-timeline", value: { ...entry("hostile"), data: { text: hostile } } },
        { kind: "append-audit", value: draft("hostile", { reason: hostile, after: null }) },
      ]);
      const [stored] = await backend.stores.reads.timeline("INC-1");
      expect(stored?.kind).toBe("hostile");
      expect(await backend.stores.reads.verifyAudit()).toMatchObject({ ok: true, entries: 1 });
    });

    it("keeps a note once when a batch is repeated after a lost answer", async () => {
      const note = { id: "N-1", incidentId: "INC-1", at: now, author: "ada", text: "seen" };
      await commitAll([{ kind: "append-note", value: note }]);
      await commitAll([{ kind: "append-note", value: note }]);
      expect(await backend.stores.reads.notes("INC-1")).toEqual([note]);
    });
  });

  describe("load", () => {
    it("answers with what is open: not with closed incidents, their finished actions, or finished commands", async () => {
      await commitAll([
        { kind: "put-incident", value: incident("INC-1", { phase: "resolved" }) },
        { kind: "put-incident", value: incident("INC-2", { phase: "closed" }) },
        { kind: "put-action", value: action("ACT-1", { phase: "done", incidentId: "INC-1" }) },
        { kind: "put-action", value: action("ACT-2", { phase: "done", incidentId: "INC-2" }) },
        { kind: "put-action", value: action("ACT-3", { phase: "running", incidentId: "INC-2" }) },
        { kind: "put-action", value: action("ACT-4", { phase: "failed" }) },
        { kind: "put-command", value: command("CMD-1") },
        { kind: "put-command", value: command("CMD-2") },
        { kind: "finish-command", id: "CMD-2", outcome: { status: "done", data: {} } },
      ]);
      await commitAll([
        { kind: "put-command", value: command("CMD-3") },
        { kind: "finish-command", id: "CMD-1", outcome: { status: "done", data: {} } },
        { kind: "finish-command", id: "CMD-unknown", outcome: null },
      ]);
      const loaded = await backend.openAnother().store.load();
      expect([...loaded.incidents.keys()]).toEqual(["INC-1"]);
      expect([...loaded.actions.keys()].sort()).toEqual(["ACT-1", "ACT-3"]);
      expect([...loaded.commands.keys()]).toEqual(["CMD-3"]);
    });

    it("answers empty, and with no policy, on a new database", async () => {
      const loaded = await backend.stores.store.load();
      expect(loaded.policy).toBeNull();
      expect(loaded.counters).toEqual({ incident: 0, action: 0 });
      expect(loaded.nodes.size + loaded.clusters.size + loaded.incidents.size + loaded.commands.size).toBe(0);
    });
  });

  describe("spool records", () => {
    const traceRecord = (message: string, at = now): SpoolRecord => ({ kind: "trace", at, trace: trace(message) });
    const countTraces = async () =>
      (await backend.stores.traces.groups({ limit: 50 })).reduce((sum, group) => sum + group.count, 0);

    it("applies a replayed frame once", async () => {
      const { store } = backend.stores;
      const frame = [traceRecord("a"), traceRecord("a"), traceRecord("a")];
      expect(await store.applyRecords("app-1", "s1", 1, frame, now)).toBe(3);
      expect(await store.applyRecords("app-1", "s1", 1, frame, now)).toBe(3);
      expect(await store.appliedRecords("app-1", "s1")).toBe(3);
      expect(await countTraces()).toBe(3);
    });

    it("applies only the new part of a frame that overlaps", async () => {
      const { store } = backend.stores;
      await store.applyRecords("app-1", "s1", 1, [traceRecord("a"), traceRecord("a")], now);
      expect(await store.applyRecords("app-1", "s1", 2, [traceRecord("a"), traceRecord("a")], now)).toBe(3);
    });

    it("goes on behind numbers whose records the agent no longer has, and counts none twice", async () => {
      const { store } = backend.stores;
      await store.applyRecords("app-1", "s1", 1, [traceRecord("a")], now);
      expect(await store.applyRecords("app-1", "s1", 9, [traceRecord("a"), traceRecord("a")], now, 6)).toBe(1);
      expect(await store.applyRecords("app-1", "s1", 9, [traceRecord("a"), traceRecord("a")], now, 7)).toBe(10);
      expect(await store.applyRecords("app-1", "s1", 9, [traceRecord("a"), traceRecord("a")], now, 7)).toBe(10);
      expect(await countTraces()).toBe(3);
    });

    it("gives a refused record its number and nothing else", async () => {
      const { store } = backend.stores;
      expect(await store.applyRecords("app-1", "s1", 1, [null, traceRecord("a"), null], now)).toBe(3);
      expect(await store.applyRecords("app-1", "s1", 4, [null], now)).toBe(4);
      expect(await store.applyRecords("app-1", "s1", 4, [null, traceRecord("a")], now)).toBe(5);
      expect(await countTraces()).toBe(2);
    });

    it("applies nothing of a frame beyond a gap, and the missing one afterwards", async () => {
      const { store } = backend.stores;
      await store.applyRecords("app-1", "s1", 1, [traceRecord("a")], now);
      expect(await store.applyRecords("app-1", "s1", 3, [traceRecord("a")], now)).toBe(1);
      expect(await countTraces()).toBe(1);
      expect(await store.applyRecords("app-1", "s1", 2, [traceRecord("a"), traceRecord("a")], now)).toBe(3);
      expect(await countTraces()).toBe(3);
    });

    it("counts each spool and each node for itself, and knows nothing of a new one", async () => {
      const { store } = backend.stores;
      await store.applyRecords("app-1", "s1", 1, [traceRecord("a")], now);
      expect(await store.applyRecords("app-1", "s2", 1, [traceRecord("a")], now)).toBe(1);
      expect(await store.applyRecords("app-2", "s1", 1, [traceRecord("a")], now)).toBe(1);
      expect(await store.appliedRecords("app-3", "s1")).toBe(0);
      const [group] = await backend.stores.traces.groups({ limit: 5 });
      expect(group).toMatchObject({
        count: 3,
        nodes: ["app-1", "app-2"],
        why: ["same-service", "same-type", "same-frames"],
      });
    });

    it("applies a frame once when it comes twice at the same time", async () => {
      const { store } = backend.stores;
      const frame = Array.from({ length: 50 }, () => traceRecord("a"));
      const answers = await Promise.all(
        Array.from({ length: 6 }, () => store.applyRecords("app-1", "s1", 1, frame, now)),
      );
      expect(answers).toEqual(answers.map(() => 50));
      expect(await countTraces()).toBe(50);
    });

    it("does not deadlock when several nodes report the same groups in different orders", async () => {
      const { store } = backend.stores;
      const services = ["a", "b", "c", "d", "e"];
      const frames = (order: readonly string[]): SpoolRecord[] =>
        order.map((service) => ({ kind: "trace", at: now, trace: trace("x", { service }) }));
      await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          store.applyRecords(`app-${index}`, "s1", 1, frames(index % 2 ? services : [...services].reverse()), now),
        ),
      );
      const groups = await backend.stores.traces.groups({ limit: 50 });
      expect(groups.map((group) => group.count)).toEqual([12, 12, 12, 12, 12]);
    });

    it("groups messages without frames by their shape, widens the time, and keeps languages apart", async () => {
      const { store } = backend.stores;
      const bare = (message: string, at: number): SpoolRecord => ({
        kind: "trace",
        at,
        trace: trace(message, { frames: [], language: "postgres", type: "23505", count: 2 }),
      });
      await store.applyRecords("pg-a", "s1", 1, [bare("key 17 exists", now), bare("key 4 exists", now + 50)], now);
      await store.applyRecords("pg-a", "s1", 3, [traceRecord("other", now)], now);
      const groups = await backend.stores.traces.groups({ limit: 5 });
      expect(groups).toHaveLength(2);
      expect(groups[0]).toMatchObject({ message: "key 17 exists", count: 4, firstSeenAt: now, lastSeenAt: now + 50 });
      const detail = await backend.stores.traces.group(groups[0]?.id ?? "");
      expect(detail?.examples).toMatchObject([{ node: "pg-a", at: now + 50, trace: { message: "key 4 exists" } }]);
      expect(await backend.stores.traces.groups({ fromMs: now + 10, limit: 5 })).toHaveLength(1);
      expect(await backend.stores.traces.groups({ node: "nobody", limit: 5 })).toHaveLength(0);
    });

    it("puts signals into the timeline in their order, with the node's time when it differs", async () => {
      const { store } = backend.stores;
      const signal = (code: string, at: number): SpoolRecord => ({ kind: "signal", at, code, data: { free: 0 } });
      await store.applyRecords("pg-a", "s1", 1, [signal("disk-full", now - 5_000), signal("disk-freed", now)], now);
      const outcome = await commitAll([{ kind: "append-timeline", value: entry("after") }]);
      expect(outcome.timeline[0]?.seq).toBe(3);
    });
  });

  describe("availability", () => {
    it("says unavailable while the database is stopped, rejects the rest by code, and works again afterwards", async () => {
      const { store, reads, identity } = backend.stores;
      const epoch = await store.lead("a");
      expect(await store.isAvailable()).toBe(true);
      await backend.stop();
      try {
        const begun = performance.now();
        const outcome = await store.commit(epoch, [{ kind: "put-node", value: node("pg-a") }]);
        expect(outcome).toMatchObject({ ok: false });
        expect(outcome.ok ? "" : outcome.code).toMatch(/^(unavailable|unknown)$/);
        expect(await store.commit(epoch, [])).toMatchObject({ ok: false, code: "unavailable" });
        expect(performance.now() - begun).toBeLessThan(6_000);
        expect(await store.isAvailable()).toBe(false);
        await expect(store.load()).rejects.toMatchObject({ code: "store-unavailable" });
        await expect(reads.incidents({ limit: 1 })).rejects.toMatchObject({ code: "store-unavailable" });
        await expect(reads.verifyAudit()).rejects.toMatchObject({ code: "store-unavailable" });
        await expect(identity.userCount()).rejects.toMatchObject({ code: "store-unavailable" });
      } finally {
        await backend.start();
      }
      expect(await store.isAvailable()).toBe(true);
      expect(await store.commit(epoch, [{ kind: "put-node", value: node("pg-b") }])).toMatchObject({ ok: true });
      expect([...(await store.load()).nodes.keys()]).toEqual(["pg-b"]);
      expect(await identity.userCount()).toBe(0);
    });
  });
}
