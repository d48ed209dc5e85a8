import { describe, expect, it } from "vitest";
import type { Incident, TimelineEntry } from "../../core/index.ts";
import type { ActionView, IncidentDetail } from "../../protocol/index.ts";
import { writeMarkdown } from "./markdown.ts";

const at = Date.UTC(2026, 0, 2, 3, 4, 5);
const subject = { kind: "node", id: "pg-a" } as const;
const evidence = [
  { code: "agent-socket-closed", observer: "control-plane", data: {}, stance: "for" },
  { code: "probe-ok", observer: "pg-c", data: {}, stance: "against" },
] as const;

const incident: Incident = {
  id: "INC-7",
  phase: "resolved",
  severity: 2,
  openedAt: at + 100,
  beganAt: at,
  acknowledgedAt: null,
  acknowledgedBy: null,
  mitigatedAt: at + 900,
  resolvedAt: at + 61_000,
  closedAt: null,
  cluster: "orders",
  cause: {
    kind: "dead-primary",
    class: "software",
    subject,
    cluster: "orders",
    confidence: 0.97,
    evidence,
    sinceWallMs: at,
  },
  symptoms: [],
  suspects: [{ subject, class: "software", confidence: 0.97, cause: "process-gone", evidence }],
  impact: {
    writesUnavailableFrom: at,
    writesUnavailableTo: at + 740,
    writesUnavailableMs: 740,
    acknowledgedLost: 0,
    acknowledged: 12_345,
    redundancyReducedFrom: at,
    redundancyReducedTo: at + 60_000,
  },
  actionIds: ["ACT-3"],
  lastSignalAt: at,
  follows: null,
};

const action = {
  entity: "action",
  id: "ACT-3",
  kind: "failover",
  phase: "done",
  automatic: true,
  by: "holdfast",
  reason: "",
  from: "pg-a",
  target: "pg-b",
  startedAt: at + 200,
  endedAt: at + 740,
  failure: null,
  steps: [
    {
      kind: "seal",
      node: "pg-b",
      status: "done",
      startedAt: at + 200,
      endedAt: at + 240,
      commandId: null,
      progress: null,
      data: {},
    },
  ],
  candidates: [
    { node: "pg-b", chosen: true, eligible: true, reason: { code: "highest-lsn", data: { lsn: "0/5" } } },
    { node: "pg-c", chosen: false, eligible: true, reason: { code: "behind", data: { behindBytes: 1_000_000 } } },
  ],
  waterfall: [{ stage: "detect", fromMs: 0, toMs: 200, detail: null }],
} as unknown as ActionView;

const entry: TimelineEntry = {
  seq: 1,
  incidentId: "INC-7",
  at,
  nodeAt: null,
  lane: "signal",
  kind: "check-failed",
  subject,
  data: { check: "disk", detail: "<script>alert(1)</script> | *bold* \n# heading" },
  evidence: [],
  actor: "system",
};

const detail: IncidentDetail = {
  incident: { ...incident, entity: "incident", unread: false },
  timeline: [entry],
  actions: [action],
  notes: [{ id: "n", incidentId: "INC-7", at, author: "Ada", text: "# Not a heading\n<img src=x>" }],
  traces: [],
};

describe("the report", () => {
  it("tells the whole story in English", () => {
    const text = writeMarkdown(detail, "en", at);
    for (const part of [
      "# INC-7: pg-a crashed; it was the primary of orders",
      "was resolved after 1 min 1 s",
      "Writes were unavailable for 0.74 s",
      "No acknowledged write was lost (of 12,345 acknowledged",
      "97 %",
      "control-plane: The agent’s connection closed",
      "against: pg-c: Still reaches it by SQL",
      "### ACT-3: Failover pg-a → pg-b",
      "| Seal | pg-b | done | 40 ms |",
      "| detect | 0 ms | 0.20 s | 0.20 s |",
      "pg-c: 1.0 MB behind: it may lack an acknowledged write.",
      "**Ada**",
    ]) {
      expect(text).toContain(part);
    }
  });

  it("tells it in Chinese", () => {
    const text = writeMarkdown(detail, "zh-CN", at);
    for (const part of ["## 摘要", "## 影响", "没有丢失任何已确认的写入", "## 时间线"]) expect(text).toContain(part);
    expect(text).not.toMatch(/report\.|undefined|\{\w+\}/);
  });

  it("keeps text from nodes and people from becoming markup", () => {
    const text = writeMarkdown(detail, "en", at);
    expect(text).not.toContain("<script>");
    expect(text).not.toContain("<img");
    expect(text).not.toMatch(/^# heading/m);
    expect(text).toContain("> # Not a heading");
    expect(text.split("\n").filter((line) => line.startsWith("# ")).length).toBe(1);
  });

  it("says what is not known instead of inventing it", () => {
    const unknown = {
      ...incident.impact,
      acknowledgedLost: null,
      writesUnavailableTo: null,
      writesUnavailableMs: null,
    };
    const open = { ...detail.incident, phase: "open", resolvedAt: null, impact: unknown } as const;
    const text = writeMarkdown({ ...detail, incident: open, actions: [], notes: [], timeline: [] }, "en", at);
    expect(text).toContain("Whether an acknowledged write was lost was not looked for.");
    expect(text).toContain("Writes are unavailable since");
    expect(text).toContain("No action was begun.");
  });
});
