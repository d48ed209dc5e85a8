import type { Action, Incident, Reason, Step } from "../core/index.ts";
import { formatLsn } from "../core/replication/lsn.ts";
import type { ActionView, IncidentView, WaterfallBar } from "./views.ts";

/** An action with its time budget, once it has ended. */
export function projectActionView(action: Action, incident: Incident | null): ActionView {
  return { ...action, entity: "action", waterfall: waterfallOf(action, incident) };
}

export function projectIncidentView(incident: Incident): IncidentView {
  return { ...incident, entity: "incident", unread: incident.phase === "open" };
}

/**
 * Where the time went, milliseconds since the first signal (or the start, where nobody signalled). Bars follow each other;
 * a stage that did not happen has none.
 */
function waterfallOf(action: Action, incident: Incident | null): WaterfallBar[] | null {
  if (action.endedAt === null || (action.kind !== "failover" && action.kind !== "switchover")) return null;
  const zero = action.firstSignalAt ?? action.startedAt;
  const bars: WaterfallBar[] = [];
  const add = (stage: WaterfallBar["stage"], from: number | null, to: number | null, detail: Reason): void => {
    if (from === null || to === null || to < from) return;
    bars.push({ stage, fromMs: from - zero, toMs: to - zero, detail });
  };
  const witnesses = new Set(
    incident?.cause.evidence.filter((item) => item.stance === "for").map((item) => item.observer),
  );
  if (action.firstSignalAt !== null) {
    add(
      "detect",
      zero,
      action.decidedAt ?? action.startedAt,
      reason("witnesses", { count: witnesses.size, who: [...witnesses].join(", ") }),
    );
  }
  const demote = spanOf(action.steps, ["demote"]);
  const seal = spanOf(action.steps, ["seal"]);
  add(
    "decide",
    action.decidedAt ?? action.startedAt,
    demote?.from ?? seal?.from ?? action.startedAt,
    reason("intent", { epoch: action.epoch }),
  );
  const promote = spanOf(action.steps, ["promote"]);
  const verify = spanOf(action.steps, ["verify"]);
  const sealed = action.sealed.map((member) => `${member.node} ${formatLsn(member.lsn)}`).join(", ");
  add("hand-over", demote?.from ?? null, demote?.to ?? null, reason("handed-over", { node: action.from }));
  add("seal", seal?.from ?? null, seal?.to ?? null, reason("sealed", { count: action.sealed.length, members: sealed }));
  add("promote", promote?.from ?? null, promote?.to ?? null, reason("promoted", { node: action.target }));
  add("verify", verify?.from ?? promote?.to ?? null, verify?.to ?? null, reason("verified", { node: action.target }));
  const back = clientsBackAt(action, incident);
  // The application may write again before the verification ends: its bar begins with the promotion then.
  const promoted = promote?.to ?? null;
  if (back !== null && promoted !== null)
    add("clients-back", Math.min(promoted, back), back, reason("first-write", { afterMs: back - zero }));
  return bars;
}

function reason(code: string, data: Reason["data"]): Reason {
  return { code, data };
}

function spanOf(steps: readonly Step[], kinds: readonly string[]): { from: number; to: number } | null {
  const timed = steps.filter((step) => kinds.includes(step.kind) && step.startedAt !== null && step.endedAt !== null);
  if (timed.length === 0) return null;
  return {
    from: Math.min(...timed.map((step) => step.startedAt as number)),
    to: Math.max(...timed.map((step) => step.endedAt as number)),
  };
}

/** When the application's writes were acknowledged again: only what a client measured counts. */
function clientsBackAt(action: Action, incident: Incident | null): number | null {
  const to = incident?.impact.writesUnavailableTo ?? null;
  return to !== null && to >= action.startedAt ? to : null;
}
