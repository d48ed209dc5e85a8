import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TrendWindow } from "../../ports/traces.ts";
import type { ErrorTrace, SpoolRecord } from "../../protocol/index.ts";
import { hourMs, minuteMs } from "../shared/trace-trend.ts";
import type { Backend, OpenBackend } from "./backend.ts";
import { draft, trace } from "./fixtures.ts";

const now = 1_790_000_000_000;
const minutes: TrendWindow = {
  fromMs: Math.floor(now / minuteMs) * minuteMs - 9 * minuteMs,
  barMs: minuteMs,
  bars: 10,
  stepMs: minuteMs,
};
const hours: TrendWindow = {
  ...minutes,
  fromMs: Math.floor(now / hourMs) * hourMs,
  barMs: hourMs,
  bars: 1,
  stepMs: hourMs,
};

/** Groups of error traces: exact counts, trends, and merging that can be taken back. */
export function describeTraceContract(getBackend: () => Backend): void {
  let backend: OpenBackend;
  const sent = new Map<string, number>();
  beforeEach(async () => {
    sent.clear();
    backend = await getBackend().open();
  });
  afterEach(() => backend.close());

  const report = async (node: string, service: string, at: number, change: Partial<ErrorTrace> = {}) => {
    const record: SpoolRecord = { kind: "trace", at, trace: trace(`${service} failed`, { service, ...change }) };
    const seq = (sent.get(node) ?? 0) + 1;
    sent.set(node, seq);
    await backend.stores.store.applyRecords(node, "spool", seq, [record], now);
  };
  const idOf = async (service: string) => {
    const [group] = await backend.stores.traces.groups({ service, limit: 1 });
    return group?.id ?? "";
  };

  describe("traces", () => {
    it("counts every occurrence in its minute and its hour, and one from the future as now", async () => {
      const { traces } = backend.stores;
      await report("app-1", "shop", now - 2 * minuteMs, { count: 3 });
      await report("app-2", "shop", now, { count: 2 });
      await report("app-2", "shop", now + 86_400_000, { count: 1 });
      await report("app-2", "shop", now - 400 * 86_400_000, { count: 7 });
      const id = await idOf("shop");
      expect((await traces.trend(id, minutes)).counts).toEqual([0, 0, 0, 0, 0, 0, 0, 3, 0, 3]);
      expect((await traces.trend(id, hours)).counts).toEqual([6]);
      expect((await traces.groups({ limit: 5 }))[0]).toMatchObject({ count: 13, merged: 0, nodes: ["app-1", "app-2"] });
    });

    it("counts a replayed frame once in the trend, too", async () => {
      const { store, traces } = backend.stores;
      const record: SpoolRecord = { kind: "trace", at: now, trace: trace("x") };
      await store.applyRecords("app-1", "spool", 1, [record, record], now);
      await store.applyRecords("app-1", "spool", 2, [record, record], now);
      const [group] = await traces.groupsWithTrend({ limit: 5 }, minutes);
      expect(group?.count).toBe(3);
      expect(group?.trend.counts.at(-1)).toBe(3);
    });

    it("filters by node, service, time and part of any text, and sorts", async () => {
      const { traces } = backend.stores;
      await report("app-1", "shop", now - 50 * minuteMs, { count: 9 });
      await report("app-1", "billing", now - minuteMs, { count: 5 });
      await report("app-2", "search", now, { frames: [{ function: "lookUp", file: "50%_off.js", line: 1 }] });
      const names = async (filter: object) =>
        (await traces.groupsWithTrend({ limit: 9, ...filter }, minutes)).map((group) => group.service);
      expect(await names({})).toEqual(["search", "billing", "shop"]);
      expect(await names({ sort: "count" })).toEqual(["billing", "search", "shop"]);
      expect(await names({ sort: "first-seen" })).toEqual(["search", "billing", "shop"]);
      expect(await names({ node: "app-1" })).toEqual(["billing", "shop"]);
      expect(await names({ service: "shop" })).toEqual(["shop"]);
      expect(await names({ search: "LOOKUP" })).toEqual(["search"]);
      expect(await names({ search: "50%_" })).toEqual(["search"]);
      expect(await names({ search: "' OR 1=1 --" })).toEqual([]);
      expect(await names({ fromMs: now - 2 * minuteMs })).toEqual(["search", "billing"]);
      expect(await names({ limit: 1 })).toEqual(["search"]);
      expect(await traces.services()).toEqual(["billing", "search", "shop"]);
    });

    it("merges and splits without losing a figure; what comes later follows; both are audited", async () => {
      const { traces, reads } = backend.stores;
      await report("app-1", "shop", now - minuteMs, { count: 2 });
      await report("app-2", "billing", now, { count: 3 });
      const [shop, billing] = [await idOf("shop"), await idOf("billing")];
      expect(await traces.merge(shop, [billing], draft("traces-merged"))).toBe("done");
      await report("app-2", "billing", now, { count: 4 });
      const [group, ...others] = await traces.groupsWithTrend({ limit: 9 }, minutes);
      expect(others).toEqual([]);
      expect(group).toMatchObject({ id: shop, service: "shop", count: 9, merged: 1, nodes: ["app-1", "app-2"] });
      expect(group?.trend.counts.slice(-2)).toEqual([2, 7]);
      expect((await traces.groups({ service: "billing", limit: 9 }))[0]?.id).toBe(shop);
      const detail = await traces.group(billing);
      expect(detail?.group.id).toBe(shop);
      expect(detail?.parts.map((part) => [part.id, part.count])).toEqual([
        [shop, 2],
        [billing, 7],
      ]);
      expect(detail?.examples.map((each) => [each.part, each.node])).toEqual([
        [billing, "app-2"],
        [shop, "app-1"],
      ]);
      expect(await traces.split(billing, draft("trace-split"))).toBe("done");
      expect((await traces.groups({ limit: 9 })).map((each) => [each.id, each.count, each.merged])).toEqual([
        [billing, 7, 0],
        [shop, 2, 0],
      ]);
      expect((await reads.audit({ limit: 9 })).items.map((item) => item.verb)).toEqual([
        "trace-split",
        "traces-merged",
      ]);
      expect(await reads.verifyAudit()).toMatchObject({ ok: true, entries: 2 });
    });

    it("takes the parts of a merged group along, and into the group that a part belongs to", async () => {
      const { traces } = backend.stores;
      for (const service of ["a", "b", "c", "d"]) await report("app-1", service, now);
      const ids = await Promise.all(["a", "b", "c", "d"].map(idOf));
      const [a, b, c, d] = ids as [string, string, string, string];
      expect(await traces.merge(b, [a], draft("m"))).toBe("done");
      expect(await traces.merge(c, [b], draft("m"))).toBe("done");
      expect(await traces.merge(a, [d], draft("m"))).toBe("done");
      const [group] = await traces.groups({ limit: 9 });
      expect(group).toMatchObject({ id: c, count: 4, merged: 3 });
    });

    it("refuses what is one group already, what is none, and audits no refusal", async () => {
      const { traces, reads } = backend.stores;
      await report("app-1", "a", now);
      await report("app-1", "b", now);
      const [a, b] = [await idOf("a"), await idOf("b")];
      expect(await traces.merge(a, [a], draft("m"))).toBe("same-trace-group");
      expect(await traces.merge(a, ["none"], draft("m"))).toBe("unknown-trace-group");
      expect(await traces.merge("none", [a], draft("m"))).toBe("unknown-trace-group");
      expect(await traces.merge(a, [], draft("m"))).toBe("unknown-trace-group");
      expect(await traces.split(a, draft("s"))).toBe("not-merged");
      expect(await traces.split("none", draft("s"))).toBe("unknown-trace-group");
      expect(await traces.merge(a, [b], draft("m"))).toBe("done");
      expect(await traces.merge(b, [a], draft("m"))).toBe("same-trace-group");
      expect((await reads.audit({ limit: 9 })).items).toHaveLength(1);
    });

    it("drops counts that no trend reaches any more, and nothing else", async () => {
      const { traces } = backend.stores;
      await report("app-1", "shop", now, { count: 2 });
      const id = await idOf("shop");
      expect(await traces.prune(now)).toBe(0);
      expect(await traces.prune(now + 4 * hourMs)).toBe(1);
      expect((await traces.trend(id, minutes)).counts.at(-1)).toBe(0);
      expect((await traces.trend(id, hours)).counts).toEqual([2]);
      expect(await traces.prune(now + 20 * 86_400_000)).toBe(1);
      expect((await traces.groups({ limit: 5 }))[0]?.count).toBe(2);
    });
  });
}
