import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Backend, OpenBackend } from "./backend.ts";
import { action, draft, entry, incident, now } from "./fixtures.ts";

/** What screens, the API and auditors rely on. */
export function describeReadContract(getBackend: () => Backend): void {
  let backend: OpenBackend;
  beforeEach(async () => {
    backend = await getBackend().open();
  });
  afterEach(() => backend.close());

  describe("lists", () => {
    beforeEach(async () => {
      const { store } = backend.stores;
      const epoch = await store.lead("a");
      await store.commit(epoch, [
        { kind: "put-incident", value: incident("INC-1", { openedAt: now, phase: "closed" }) },
        { kind: "put-incident", value: incident("INC-2", { openedAt: now + 10 }) },
        { kind: "put-incident", value: incident("INC-3", { openedAt: now + 10, cluster: "billing" }) },
        { kind: "put-incident", value: incident("INC-4", { openedAt: now + 20, phase: "resolved", cluster: null }) },
        { kind: "put-action", value: action("ACT-1", { startedAt: now, incidentId: "INC-2" }) },
        { kind: "put-action", value: action("ACT-2", { startedAt: now + 1, incidentId: "INC-2", phase: "done" }) },
        { kind: "put-action", value: action("ACT-3", { startedAt: now + 2, cluster: "billing" }) },
        { kind: "append-timeline", value: entry("a", "INC-2") },
        { kind: "append-timeline", value: entry("b", "INC-3") },
        { kind: "append-timeline", value: entry("c", "INC-2") },
      ]);
    });

    it("pages through incidents, newest first, without a gap or a repetition", async () => {
      const { reads } = backend.stores;
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await reads.incidents({ limit: 1, cursor });
        seen.push(...page.items.map((item) => item.id));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      expect(seen).toEqual(["INC-4", "INC-3", "INC-2", "INC-1"]);
    });

    it("filters incidents by phase, by being active and by cluster, and shows the first page for a damaged cursor", async () => {
      const { reads } = backend.stores;
      const ids = async (filter: { phase?: string; cluster?: string; cursor?: string }) =>
        (await reads.incidents({ limit: 10, ...filter })).items.map((item) => item.id);
      expect(await ids({ phase: "open" })).toEqual(["INC-3", "INC-2"]);
      expect(await ids({ phase: "active" })).toEqual(["INC-4", "INC-3", "INC-2"]);
      expect(await ids({ cluster: "billing" })).toEqual(["INC-3"]);
      expect(await ids({ cursor: "' OR 1=1 --" })).toHaveLength(4);
    });

    it("finds one incident whole, its timeline in order, and its actions newest first", async () => {
      const { reads } = backend.stores;
      expect(await reads.incident("INC-2")).toEqual(incident("INC-2", { openedAt: now + 10 }));
      expect(await reads.incident("INC-9")).toBeNull();
      expect((await reads.timeline("INC-2")).map(({ seq, kind }) => [seq, kind])).toEqual([
        [1, "a"],
        [3, "c"],
      ]);
      expect((await reads.action("ACT-1"))?.id).toBe("ACT-1");
      expect(await reads.action("ACT-9")).toBeNull();
      const ids = async (filter: { incidentId?: string; cluster?: string; limit: number }) =>
        (await reads.actions(filter)).map((item) => item.id);
      expect(await ids({ incidentId: "INC-2", limit: 10 })).toEqual(["ACT-2", "ACT-1"]);
      expect(await ids({ cluster: "billing", limit: 10 })).toEqual(["ACT-3"]);
      expect(await ids({ limit: 2 })).toEqual(["ACT-3", "ACT-2"]);
    });
  });

  describe("audit", () => {
    const appendMany = async (count: number) => {
      for (let index = 1; index <= count; index += 1) {
        const actor = index % 2 ? "ada" : "ada-2";
        await backend.stores.reads.appendAudit(draft(`verb-${index}`, { actor }));
      }
    };

    it("chains entries of the loop and of others in one line, and verifies", async () => {
      const { store, reads } = backend.stores;
      const epoch = await store.lead("a");
      await store.commit(epoch, [
        { kind: "append-audit", value: draft("one") },
        { kind: "append-audit", value: draft("two") },
      ]);
      await reads.appendAudit(draft("three"));
      const { items } = await reads.audit({ limit: 10 });
      expect(items.map(({ seq, verb }) => [seq, verb])).toEqual([
        [3, "three"],
        [2, "two"],
        [1, "one"],
      ]);
      expect(items[0]).toMatchObject({ ...draft("three"), previousHash: items[1]?.hash });
      expect(await reads.verifyAudit()).toEqual({ ok: true, entries: 3, head: items[0]?.hash });
    });

    it("keeps the chain whole when many append at the same time", async () => {
      const others = [backend.stores, backend.openAnother(), backend.openAnother()];
      await Promise.all(
        Array.from({ length: 30 }, (_, index) => others[index % 3]?.reads.appendAudit(draft(`verb-${index}`))),
      );
      expect(await backend.stores.reads.verifyAudit()).toMatchObject({ ok: true, entries: 30 });
    });

    it("pages by cursor and filters by actor and subject", async () => {
      await appendMany(5);
      const { reads } = backend.stores;
      const first = await reads.audit({ limit: 2 });
      expect(first.items.map((item) => item.seq)).toEqual([5, 4]);
      const second = await reads.audit({ limit: 2, cursor: first.nextCursor ?? "" });
      expect(second.items.map((item) => item.seq)).toEqual([3, 2]);
      expect((await reads.audit({ limit: 9, actor: "ada-2" })).items.map((item) => item.seq)).toEqual([4, 2]);
      expect((await reads.audit({ limit: 9, subject: "cluster:other" })).items).toEqual([]);
    });

    it("names the entry that somebody with full rights changed", async () => {
      await appendMany(5);
      await backend.tamper.changeAuditBody(3);
      expect(await backend.stores.reads.verifyAudit()).toMatchObject({ ok: false, brokenAt: 3 });
    });

    it("names the entry that was taken out of the middle, and the first that was cut off the end", async () => {
      await appendMany(5);
      await backend.tamper.removeAuditEntry(5);
      expect(await backend.stores.reads.verifyAudit()).toMatchObject({ ok: false, brokenAt: 5 });
      await backend.tamper.removeAuditEntry(2);
      expect(await backend.stores.reads.verifyAudit()).toMatchObject({ ok: false, brokenAt: 2 });
    });
  });
}
