import type { Action, Incident, Step } from "../core/index.ts";
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
  const add = (stage: WaterfallBar["stage"], from: number | null, to: number | null): void => {
    if (from === null || to === null || to < from) return;
    bars.push({ stage, fromMs: from - zero, toMs: to - zero, detail: null });
  };
  if (action.firstSignalAt !== null) add("detect", zero, action.decidedAt ?? action.startedAt);
  const seal = spanOf(action.steps, ["demote", "seal"]);
  add("decide", action.decidedAt ?? action.startedAt, seal?.from ?? action.startedAt);
  const promote = spanOf(action.steps, ["promote"]);
  const verify = spanOf(action.steps, ["verify"]);
  add("seal", seal?.from ?? null, seal?.to ?? null);
  add("promote", promote?.from ?? null, promote?.to ?? null);
  add("verify", verify?.from ?? promote?.to ?? null, verify?.to ?? null);
  const back = clientsBackAt(action, incident);
  const lastStep = verify?.to ?? promote?.to ?? null;
  if (back !== null && lastStep !== null) add("clients-back", Math.min(lastStep, back), Math.max(lastStep, back));
  return bars;
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
