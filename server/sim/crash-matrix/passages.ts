import type { Action, ActionKind, Write } from "../../core/index.ts";
import type { Simulation } from "../simulation.ts";
import type { TraceEvent } from "../trace.ts";

/** Where somebody may be killed: before and after each commit, send, effect, result and acknowledgement. */
export const boundaries = [
  "before-commit",
  "after-commit",
  "before-send",
  "after-send",
  "before-effect",
  "in-effect",
  "after-effect",
  "before-result",
  "after-result",
  "before-ack",
  "after-ack",
] as const;
export type Boundary = (typeof boundaries)[number];

/** One passage of a boundary by the action. */
export interface Passage {
  readonly boundary: Boundary;
  /** 1 is the first of its boundary. */
  readonly occurrence: number;
  /** Whom it concerns: where the command runs, or whom the action is about. */
  readonly node: string;
  /** Whom the action is about. */
  readonly target: string;
  /** How long after the event the blow falls, milliseconds; null: at once, before anything else happens. */
  readonly delayMs: number | null;
  readonly verb: string | null;
}

interface Watched {
  readonly ids: Set<string>;
  readonly commands: Map<string, { readonly node: string; readonly verb: string }>;
  target: string;
}

/** The passages that one event of the world is, in order. `durationOf` is known from the undisturbed run. */
function passagesOf(
  event: TraceEvent,
  watched: Watched,
  kind: ActionKind,
  durationOf: (commandNumber: number) => number,
): readonly Omit<Passage, "occurrence">[] {
  const here = (boundary: Boundary, node: string, delayMs: number | null, verb: string | null = null) => ({
    boundary,
    node,
    target: watched.target,
    delayMs,
    verb,
  });
  switch (event.kind) {
    case "control-decided": {
      const about = noteWrites(event.decision.writes, watched, kind);
      return about ? [here("before-commit", watched.target, null)] : [];
    }
    case "control-committed": {
      const about = noteWrites(event.writes, watched, kind);
      return about ? [here("after-commit", watched.target, null)] : [];
    }
    case "command-sent": {
      const { id, node, verb, actionId } = event.command;
      if (!watched.ids.has(actionId)) return [];
      watched.commands.set(id, { node, verb: verb.verb });
      return [here("before-send", node, null, verb.verb), here("after-send", node, 0, verb.verb)];
    }
    case "grant-accepted": {
      const command = watched.commands.get(event.commandId);
      if (command === undefined) return [];
      const ms = durationOf([...watched.commands.keys()].indexOf(event.commandId));
      const ofCommand = (boundary: Boundary, delayMs: number | null) =>
        here(boundary, command.node, delayMs, command.verb);
      // What takes no time has no middle.
      const inside = ms < 1 ? [] : [ofCommand("in-effect", ms / 2), ofCommand("after-effect", ms - 0.4)];
      return [ofCommand("before-effect", null), ...inside];
    }
    case "command-ended":
    case "result-arrived":
    case "result-acknowledged": {
      const command = watched.commands.get(event.commandId);
      if (command === undefined) return [];
      if (event.kind === "command-ended") return [here("before-result", command.node, null, command.verb)];
      if (event.kind === "result-arrived") return [here("after-result", command.node, null, command.verb)];
      return [here("before-ack", command.node, null, command.verb), here("after-ack", command.node, 0, command.verb)];
    }
    default:
      return [];
  }
}

/** True when these writes change the action (or one of its kind that came in its place). */
function noteWrites(writes: readonly Write[], watched: Watched, kind: ActionKind): boolean {
  const actions = writes.flatMap((write) => (write.kind === "put-action" ? [write.value] : []));
  for (const action of actions) {
    // The first of its kind is the one that is watched.
    if (action.kind === kind && watched.ids.size === 0) watched.ids.add(action.id);
    if (watched.ids.has(action.id)) watched.target = targetOf(action);
  }
  return actions.some((action) => watched.ids.has(action.id));
}

function targetOf(action: Action): string {
  return action.target ?? action.from ?? "a";
}

/** Tells each passage as it happens, from now on. */
export function watchPassages(
  sim: Simulation,
  kind: ActionKind,
  durations: readonly number[],
  tell: (passage: Passage) => void,
): void {
  const watched: Watched = { ids: new Set(), commands: new Map(), target: "a" };
  const counts = new Map<Boundary, number>();
  sim.world.listen((event) => {
    for (const passage of passagesOf(event, watched, kind, (index) => durations[index] ?? 0)) {
      const occurrence = (counts.get(passage.boundary) ?? 0) + 1;
      counts.set(passage.boundary, occurrence);
      tell({ ...passage, occurrence });
    }
  });
}

/** How long each command of the action takes on its node, in the order in which they are sent: from its acceptance to its outcome. */
export function watchDurations(sim: Simulation, kind: ActionKind): readonly number[] {
  const watched: Watched = { ids: new Set(), commands: new Map(), target: "a" };
  const acceptedAt = new Map<string, number>();
  const durations: number[] = [];
  sim.world.listen((event, nowMs) => {
    passagesOf(event, watched, kind, () => 0);
    if (event.kind === "grant-accepted") acceptedAt.set(event.commandId, nowMs);
    if (event.kind !== "command-ended" || !watched.commands.has(event.commandId)) return;
    const index = [...watched.commands.keys()].indexOf(event.commandId);
    durations[index] = nowMs - (acceptedAt.get(event.commandId) ?? nowMs);
  });
  return durations;
}
