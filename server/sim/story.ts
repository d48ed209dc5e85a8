import type { Action } from "../core/index.ts";
import type { Simulation } from "./simulation.ts";
import type { TraceEvent } from "./trace.ts";

/**
 * Tells a run in lines that a person can read: when, who, what. `everything` adds what only helps to debug.
 * Golden scenarios compare these lines, so their order and words are part of what is tested.
 */
export function createStory(
  sim: Simulation,
  tell: (nowMs: number, who: string, what: string) => void,
  everything = false,
): void {
  const phases = new Map<string, string>();
  sim.world.listen((event, nowMs) => {
    for (const [who, what] of describeEvent(event, phases, everything)) {
      tell(nowMs, who, what);
    }
  });
}

type Line = readonly [who: string, what: string];

function describeEvent(event: TraceEvent, phases: Map<string, string>, everything: boolean): Line[] {
  switch (event.kind) {
    case "fault-began":
      return [["fault", `${event.fault} begins: ${event.subject}`]];
    case "fault-ended":
      return [["fault", `${event.fault} ends: ${event.subject}`]];
    case "postgres-started":
      return [
        [event.node, `PostgreSQL is up as ${event.role} on timeline ${event.head.timeline} at ${event.head.lsn}`],
      ];
    case "postgres-ended":
      return [[event.node, `PostgreSQL ended (${event.how})`]];
    case "postgres-promoted":
      return [[event.node, `opened timeline ${event.opened.timeline} at ${event.fork.lsn}`]];
    case "history-mixed":
      return [[event.node, `would mix histories with ${event.with}`]];
    case "command-ended":
      return [[event.node, `${event.verb} ${event.status}${event.detail === "" ? "" : ` (${event.detail})`}`]];
    case "command-began":
      return everything ? [[event.node, `begins ${describeCommand(event.command)}`]] : [];
    case "command-sent":
      return everything ? [["ctl", `sends ${describeCommand(event.command)} to ${event.command.node}`]] : [];
    case "control-started":
      return [["ctl", "started"]];
    case "control-ended":
      return [["ctl", event.boundary === null ? "killed" : `killed ${event.boundary}`]];
    case "control-committed":
      return event.writes.flatMap((write) => (write.kind === "put-action" ? describeAction(write.value, phases) : []));
    case "operator-answered":
      return [["ctl", `answers ${event.request}: ${event.ok ? "accepted" : `refused (${event.code})`}`]];
    case "model-violated":
      return [["model", event.text]];
    case "row-acknowledged":
    case "users-let-in":
    case "grant-accepted":
    case "control-decided":
    case "result-arrived":
    case "result-acknowledged":
      return [];
    default:
      return event satisfies never;
  }
}

function describeCommand(command: {
  readonly verb: { readonly verb: string; readonly args: unknown };
  readonly grant: { readonly epoch: number; readonly step: number };
}): string {
  return `${command.verb.verb} e${command.grant.epoch}.${command.grant.step} ${JSON.stringify(command.verb.args)}`;
}

/** An action is told when its phase or state changes. */
function describeAction(action: Action, phases: Map<string, string>): Line[] {
  const now = `${action.phase}/${action.state}`;
  if (phases.get(action.id) === now) return [];
  phases.set(action.id, now);
  const who = action.target ?? action.from ?? "";
  const why = action.failure === null ? "" : ` (${action.failure.code})`;
  const state = action.phase === "running" ? action.state : action.phase;
  return [["ctl", `${action.id} ${action.kind} e${action.epoch} ${who}: ${state}${why} [${action.reason}]`]];
}
