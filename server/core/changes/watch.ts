import type { Incident } from "../incident/types.ts";
import type { State } from "../state.ts";
import type { Now } from "../time.ts";
import { findProgram } from "./programs.ts";
import type { ChangeData, ChangeRecord, Watch } from "./types.ts";

/** An agent that is away is waited for this long beyond the window. Counted from when it went, and never from before we ourselves were there. */
const awayGraceMs = 20_000;
const fewErrors = 5;
const timesWorse = 3;
/** From this confidence on a suspect that localization names counts. */
const sureSuspect = 0.5;

export type WatchVerdict =
  | { readonly kind: "wait" }
  | { readonly kind: "good" }
  | { readonly kind: "bad"; readonly code: string; readonly node: string | null; readonly data: ChangeData };

/** Whether the nodes that were switched do well: processes, health checks, error traces, and what localization says. */
export function judgeWatch(
  state: State,
  change: ChangeRecord,
  watch: Watch,
  incidents: readonly Incident[],
  now: Now,
): WatchVerdict {
  const aside = listAside(change);
  const nodes = change.targets.filter(
    ({ id, kind, wave }) => kind === "program" && wave <= watch.wave && !aside.has(id),
  );
  let waiting = now.wallMs < watch.until;
  for (const { node } of nodes) {
    const live = state.live.nodes.get(node);
    const status = findProgram(state, node, change.service);
    if (live?.connected !== true || status === null) {
      const awayMs = now.monoMs - Math.max(state.live.self.startedAtMs, live?.closedAtMs ?? 0);
      if (now.wallMs > watch.until && awayMs > awayGraceMs) return bad("agent-away", node, {});
      waiting = true;
      continue;
    }
    if (status.crashes > 0 || status.state === "failed") {
      return bad("crashed", node, { crashes: status.crashes, version: status.version });
    }
    if (status.healthy === false) return bad("unhealthy", node, { detail: status.health.slice(0, 200) });
    const minutes = Math.max(1, (now.wallMs - watch.from) / 60_000);
    if (status.errors >= fewErrors && status.errors > timesWorse * status.errorsBefore * minutes) {
      return bad("more-errors", node, { errors: status.errors, before: status.errorsBefore });
    }
    if (status.state !== "running" || status.healthy === null) waiting ||= now.wallMs < watch.until + awayGraceMs;
  }
  const blamed = incidents.find((incident) => blames(incident, change.service, watch.from));
  if (blamed !== undefined) return bad("localized", null, { incident: blamed.id });
  return { kind: waiting ? "wait" : "good" };
}

/** Participants that a person goes on without. */
export function listAside({ transaction }: ChangeRecord): ReadonlySet<string> {
  return new Set(transaction.branches.filter(({ state }) => state === "set-aside").map(({ id }) => id));
}

/** An incident that began under our watch and whose first suspect is this service. */
function blames(incident: Incident, service: string, fromMs: number): boolean {
  const [first] = incident.suspects;
  if (first === undefined || incident.resolvedAt !== null || incident.beganAt < fromMs) return false;
  return first.subject.kind === "service" && first.subject.id === service && first.confidence >= sureSuspect;
}

function bad(code: string, node: string | null, data: ChangeData): WatchVerdict {
  return { kind: "bad", code, node, data };
}
