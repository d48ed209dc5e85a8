import { appendAudit, appendTimeline, type Draft, nextIncidentId, patchIncident, putIncident } from "../draft.ts";
import type { Verdict } from "../incident/types.ts";
import type { Input } from "../transaction/index.ts";
import { type Change, tell } from "./commands.ts";
import { openRollback, remember } from "./left-behind.ts";
import { openChange } from "./open.ts";
import { noteVersion, patchRecord, readRecord } from "./programs.ts";
import type { ChangeRecord } from "./types.ts";
import { listAside } from "./watch.ts";

type Fault = NonNullable<ChangeRecord["fault"]>;

/** A wave did badly before the decision: the transaction is aborted (or compensated), which takes back what was switched. */
export function stopFor(
  draft: Draft,
  change: Change,
  fault: Fault,
  feed: (draft: Draft, change: Change, input: Input) => Change,
): Change {
  const blamed = blame(draft, change, fault);
  return feed(draft, blamed, { kind: "abort-requested", code: fault.code, branch: fault.node });
}

/** It did badly after everybody had switched: the inverse is a change of its own, at once and everywhere. */
export function rollBackAfter(draft: Draft, change: Change, fault: Fault): Change {
  const blamed = blame(draft, change, fault);
  // A rollback that does badly itself is left to a person: going back and forth helps nobody.
  const inverse = change.rollbackOf === null ? inverseOf(blamed) : null;
  const closed = finish(draft, { ...blamed, phase: "rolled-back" });
  if (inverse === null) return tell(draft, { ...closed, phase: "done" }, "needs-operator", {});
  const opened = openRollback(draft, { ...inverse, incidentId: blamed.incidentId });
  // Nobody is there: each goes back when it returns.
  if (opened === null) {
    remember(draft, { ...inverse, incidentId: blamed.incidentId }, inverse.request.waves.flat());
    return tell(draft, closed, "left-out", { nodes: inverse.request.waves.flat().join(", ") });
  }
  return tell(draft, { ...closed, rolledBackBy: opened.id }, "rolled-back", { change: opened.id });
}

/** The request that undoes a change; null: there is nothing to go back to, or not the same everywhere. */
export function inverseOf(change: Change): Parameters<typeof openChange>[1] | null {
  const aside = listAside(change);
  const programs = change.targets.filter(({ id, kind }) => kind === "program" && !aside.has(id));
  // Who had this version before the change has nothing to go back to by it.
  const moved = change.item.kind === "release" ? programs.filter((each) => each.before !== change.version) : programs;
  const nodes = moved.map(({ node }) => node);
  const befores = new Set(moved.map((each) => each.before));
  const before = befores.size === 1 ? (moved[0]?.before ?? null) : null;
  const { service, watchMs } = change;
  if (change.item.kind === "restart") return null;
  const item =
    change.item.kind === "release"
      ? before === null
        ? null
        : ({ kind: "release", version: before } as const)
      : ({ kind: "config-revert", file: change.item.file, change: change.id } as const);
  if (item === null) return null;
  return {
    request: { service, item, protocol: "2pc", waves: [nodes], watchMs, sql: null },
    by: "holdfast",
    automatic: true,
    reason: `the inverse of ${change.id}`,
    rollbackOf: change.id,
    incidentId: change.incidentId,
  };
}

/** The transaction has ended and nothing is watched any more. */
export function finishChange(draft: Draft, change: Change): Change {
  const good = change.transaction.phase === "committed";
  const phase = good ? "done" : "aborted";
  const ended = tell(draft, finish(draft, { ...change, phase }), `ended-${change.transaction.phase}`, {});
  if (change.dryRun === true) {
    const passed = change.transaction.cause?.code === "dry-run-passed";
    return tell(draft, ended, passed ? "dry-run-passed" : "dry-run-failed", {});
  }
  if (change.rollbackOf !== null && !good && change.transaction.cause?.code === "no-vote-in-time") {
    const again = withoutSilent(draft, ended);
    if (again !== null) return again;
  }
  // What it was to undo is still there.
  if (change.rollbackOf !== null && !good) return tell(draft, ended, "rollback-failed", {});
  return change.transaction.phase === "mixed" ? tell(draft, ended, "contradicted", {}) : ended;
}

/** A rollback whose vote failed for somebody's silence begins anew with the others; null when there is nobody else. */
function withoutSilent(draft: Draft, change: Change): Change | null {
  const silent = change.transaction.branches.filter(({ votedAt }) => votedAt === null).map(({ id }) => id);
  const nodes = change.targets.flatMap(({ id, node }) => (silent.includes(id) ? [] : [node]));
  if (nodes.length === 0) return null;
  const { service, item, watchMs, by, automatic, reason, rollbackOf, incidentId, left = [] } = change;
  const request = { service, item, protocol: "2pc", waves: [nodes], watchMs, sql: null } as const;
  const rest = [...left, ...silent];
  const options = { request, by, automatic, reason, rollbackOf, incidentId };
  const opened = openChange(draft, { ...options, left: rest });
  remember(draft, options, rest);
  return tell(draft, { ...change, rolledBackBy: opened.id }, "goes-on-as", { change: opened.id });
}

function finish(draft: Draft, change: Change): Change {
  const good = change.transaction.phase === "committed" && change.fault === null;
  if (change.item.kind === "release") {
    if (good || change.fault !== null)
      noteVersion(draft, change.service, change.version, change.id, good ? "good" : "bad");
  }
  patchRecord(draft, change.service, { openChange: null });
  appendAudit(draft, {
    actor: change.by,
    actorRole: change.automatic ? "system" : "operator",
    verb: "change-ended",
    subject: `change:${change.id}`,
    before: null,
    after: { phase: change.phase, decision: change.transaction.decision, fault: change.fault?.code ?? null },
    reason: change.reason,
  });
  if (change.incidentId !== null) {
    record(draft, change.incidentId, change, "action", `change-${change.phase}`, { change: change.id });
    const wentBack = change.fault === null || change.phase === "aborted";
    const isLeft = (readRecord(draft, change.service).left ?? null) !== null;
    const over = change.rollbackOf === null ? wentBack && change.transaction.phase !== "mixed" : good && !isLeft;
    if (over) resolve(draft, change);
  }
  return { ...change, watch: null, closedAt: draft.now.wallMs };
}

/** The release is named in an incident: one for the change, with its evidence. */
function blame(draft: Draft, change: Change, fault: Fault): Change {
  const told = tell(draft, { ...change, fault }, "fault", { code: fault.code, node: fault.node, ...fault.data });
  // A restart brings nothing new: what keeps the service down was there before.
  if (change.item.kind === "restart" && change.incidentId === null) return told;
  const incidentId = change.incidentId ?? openIncident(draft, change, fault);
  record(draft, incidentId, change, "action", "change-stopped", { change: change.id, code: fault.code });
  return { ...told, incidentId };
}

function openIncident(draft: Draft, change: Change, fault: Fault): string {
  const { wallMs } = draft.now;
  const subject = { kind: "service", id: change.service } as const;
  const evidence = [
    {
      code: `release-${fault.code}`,
      observer: fault.node ?? "control-plane",
      data: { version: change.version, ...fault.data },
      stance: "for" as const,
      at: wallMs,
    },
  ];
  const verdict: Verdict = {
    kind: "bad-release",
    class: "change",
    subject,
    cluster: null,
    confidence: 0.95,
    evidence,
    sinceWallMs: wallMs,
  };
  const id = nextIncidentId(draft);
  putIncident(draft, {
    id,
    phase: "open",
    severity: 3,
    openedAt: wallMs,
    beganAt: wallMs,
    acknowledgedAt: null,
    acknowledgedBy: null,
    mitigatedAt: null,
    resolvedAt: null,
    closedAt: null,
    cluster: null,
    cause: verdict,
    symptoms: [],
    suspects: [{ subject, class: "change", confidence: 0.95, cause: "bad-release", evidence }],
    impact: {
      writesUnavailableFrom: null,
      writesUnavailableTo: null,
      writesUnavailableMs: null,
      acknowledgedLost: null,
      acknowledged: null,
      redundancyReducedFrom: null,
      redundancyReducedTo: null,
    },
    actionIds: [],
    lastSignalAt: wallMs,
    follows: null,
  });
  for (const { code, observer, data } of evidence) {
    const entry = { incidentId: id, lane: "signal" as const, kind: code, subject, data: { ...data, stance: "for" } };
    appendTimeline(draft, { ...entry, actor: observer });
  }
  record(draft, id, change, "verdict", "bad-release", { version: change.version, change: change.id });
  return id;
}

function resolve(draft: Draft, change: Change): void {
  if (change.incidentId === null) return;
  const { wallMs } = draft.now;
  patchIncident(draft, change.incidentId, { mitigatedAt: wallMs, resolvedAt: wallMs, phase: "resolved" });
  record(draft, change.incidentId, change, "verdict", "resolved", { durationMs: wallMs - change.openedAt });
}

function record(
  draft: Draft,
  incidentId: string,
  change: Change,
  lane: "action" | "verdict",
  kind: string,
  data: Fault["data"],
): void {
  appendTimeline(draft, {
    incidentId,
    lane,
    kind,
    subject: { kind: "service", id: change.service },
    data,
    actor: change.by,
  });
}
