import { describe, expect, it } from "vitest";
import { createDraft, type Draft, getCluster, putCluster } from "../draft.ts";
import { defaultPolicy } from "../policy/types.ts";
import type { ClusterRecord } from "../recovery/types.ts";
import type { WorkloadReport } from "../replication/status.ts";
import { createState } from "../state.ts";
import type { NodeLive } from "../topology/types.ts";
import { measureEpoch } from "./impact.ts";

const at = 1_700_000_000_000;

/** A cluster whose primary changed at `at`, and an application beside it. */
function changed(afterMs: number, cause: "failover" | "adopt" = "failover"): Draft {
  const draft = createDraft(createState(defaultPolicy), { monoMs: 1, wallMs: at + afterMs, entropy: "e" });
  const epochs = [{ epoch: 2, cause, at, unavailableMs: null, lost: null }];
  putCluster(draft, { id: "orders", epochs } as unknown as ClusterRecord);
  return draft;
}

function report(draft: Draft, fromMs: number, toMs: number, audit: Partial<WorkloadReport> = {}) {
  const lastOutage = { fromMs: at + fromMs, toMs: at + toMs };
  const workload = { cluster: "orders", lastOutage, auditedAt: null, lost: null, ...audit };
  draft.state.live.nodes.set("app-1", { connected: true, workloads: [workload] } as unknown as NodeLive);
  measureEpoch(draft, "orders");
  const { unavailableMs, lost } = getCluster(draft, "orders")?.epochs.at(-1) ?? {};
  return { unavailableMs, lost };
}

describe("what a change of the primary has cost", () => {
  it("is the outage that the new grant ended; a hiccup right after it does not take its place", () => {
    const draft = changed(5_000);
    expect(report(draft, -120_000, 300).unavailableMs).toBe(120_300);
    expect(report(draft, 900, 1_020).unavailableMs).toBe(120_300);
  });

  it("is nothing that was over before, or began long after", () => {
    expect(report(changed(20_000), -60_000, -10).unavailableMs).toBeNull();
    expect(report(changed(20_000), 10_000, 12_000).unavailableMs).toBeNull();
  });

  it("counts lost writes once they were looked for after the change", () => {
    const draft = changed(5_000);
    expect(report(draft, -500, 300, { auditedAt: at - 1, lost: 3 }).lost).toBeNull();
    expect(report(draft, -500, 300, { auditedAt: at + 1_000, lost: 0 }).lost).toBe(0);
  });

  it("is measured for two minutes, and only where the primary changed hands", () => {
    expect(report(changed(121_000), -500, 300).unavailableMs).toBeNull();
    expect(report(changed(5_000, "adopt"), -500, 300).unavailableMs).toBeNull();
  });
});
