import { describe, expect, it } from "vitest";
import type { WorkloadReport } from "../../server/core/index.ts";
import { outageMarks } from "./outage-marks.ts";
import { makeCluster, makeIncident, T0 } from "./picture-fixture.ts";

function workload(over: Partial<WorkloadReport>): WorkloadReport {
  return {
    name: "app",
    cluster: "orders",
    writesPerSecond: 100,
    latencyMeanMs: 2,
    latencyP95Ms: 4,
    acknowledged: 1_000,
    failed: 0,
    lost: 0,
    auditedAt: null,
    lastAcknowledgedAt: T0,
    unavailableForMs: 0,
    lastOutage: null,
    writingTo: "pg-a",
    ...over,
  };
}
const impact = {
  ...makeIncident().impact,
  writesUnavailableFrom: T0 - 10_000,
  writesUnavailableTo: T0 - 9_420,
  acknowledgedLost: 0,
};

describe("outageMarks", () => {
  it("passes over short gaps that no incident names", () => {
    const cluster = makeCluster({ workload: workload({ lastOutage: { fromMs: T0 - 500, toMs: T0 - 340 } }) });
    expect(outageMarks(cluster, [])).toEqual([]);
  });

  it("takes an incident's own measure, once, and keeps it when a later gap replaces the application's last", () => {
    const cluster = makeCluster({ workload: workload({ lastOutage: { fromMs: T0 - 10_000, toMs: T0 - 9_420 } }) });
    const incident = makeIncident({ impact });
    expect(outageMarks(cluster, [incident])).toEqual([{ fromMs: T0 - 10_000, toMs: T0 - 9_420, lost: 0 }]);
    const later = makeCluster({ workload: workload({ lastOutage: { fromMs: T0 - 900, toMs: T0 - 300 } }) });
    expect(outageMarks(later, [incident]).map((mark) => mark.toMs - mark.fromMs)).toEqual([580, 600]);
  });

  it("doesn't say none was lost before anybody looked", () => {
    const outage = { fromMs: T0 - 2_000, toMs: T0 - 1_000 };
    const before = makeCluster({ workload: workload({ lastOutage: outage, auditedAt: T0 - 5_000 }) });
    expect(outageMarks(before, [])[0]?.lost).toBeNull();
    const after = makeCluster({ workload: workload({ lastOutage: outage, auditedAt: T0 }) });
    expect(outageMarks(after, [])[0]?.lost).toBe(0);
  });

  it("shows the gap that goes on", () => {
    const cluster = makeCluster({ workload: workload({ unavailableForMs: 800 }) });
    expect(outageMarks(cluster, [])).toEqual([{ fromMs: T0, toMs: T0 + 800, lost: null }]);
  });
});
