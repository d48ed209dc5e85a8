import type { Action } from "../../core/index.ts";
import { attachCheckers } from "../checkers/all.ts";
import type { Violation } from "../checkers/checker.ts";
import { describeUnconverged } from "../checkers/convergence.ts";
import { cutPower } from "../nemesis/processes.ts";
import type { Simulation } from "../simulation.ts";
import { createMatrixSimulation, type MatrixAction } from "./actions.ts";
import { type Boundary, type Passage, watchDurations, watchPassages } from "./passages.ts";

/** Who is killed: the control plane, the agent that carries out the command, its PostgreSQL, or the host that the action is about. */
export const victims = ["control-plane", "agent", "postgres", "target"] as const;
export type Victim = (typeof victims)[number];

export interface Cell {
  readonly action: string;
  readonly boundary: Boundary;
  readonly occurrence: number;
  readonly victim: Victim;
}

/** `compensated`: undone, given up or superseded, and everything is as promised again. `violated`: what must not be. */
export type CellEnd = "done" | "compensated" | "needs-operator" | "violated";

export interface CellResult extends Cell {
  readonly verb: string | null;
  readonly end: CellEnd;
  readonly why: string;
}

const controlBackMs = 1_500;
const agentBackMs = 1_000;
const powerBackMs = 4_000;
/** After the blow: the earliest and the latest moment at which the end is looked at. */
const lookMs = { first: 8_000, last: 150_000 };
/** An undisturbed action is over by then. */
const referenceMs = 40_000;

export function nameCell({ action, boundary, occurrence, victim }: Cell): string {
  return `${action}:${boundary}:${occurrence}:${victim}`;
}

export interface Reference {
  readonly passages: readonly Passage[];
  readonly durations: readonly number[];
  /** How the undisturbed action ended: a matrix of one that fails anyway would prove nothing. */
  readonly phase: Action["phase"] | null;
}

/** Plays the action undisturbed, and notes every boundary that it passes. */
export async function playReference(action: MatrixAction): Promise<Reference> {
  const first = createMatrixSimulation(action);
  await advance(first, action, () => {});
  const durations = watchDurations(first, action.kind);
  await first.world.run(action.atMs + referenceMs);
  const second = createMatrixSimulation(action);
  const passages: Passage[] = [];
  await advance(second, action, () =>
    watchPassages(second, action.kind, durations, (passage) => passages.push(passage)),
  );
  await second.world.run(action.atMs + referenceMs);
  const own = [...second.control.tables.actions.values()].find((each) => each.kind === action.kind);
  return { passages, durations, phase: own?.phase ?? null };
}

/** To the moment at which the cause is set. */
async function advance(sim: Simulation, action: MatrixAction, then: () => void): Promise<void> {
  if (action.atMs > 0) await sim.world.run(action.atMs);
  then();
  action.cause?.(sim);
}

/** One cell: the same action, and one blow. */
export async function playCell(
  action: MatrixAction,
  reference: Reference,
  cell: Cell,
  watch?: (sim: Simulation) => void,
): Promise<CellResult> {
  const sim = createMatrixSimulation(action);
  const violations: Violation[] = [];
  const checkers = attachCheckers(sim, violations);
  watch?.(sim);
  const seen = new Map<string, Action>();
  let struckAtMs: number | null = null;
  let verb: string | null = null;
  let over = false;
  sim.world.listen((event) => {
    if (event.kind !== "control-committed" || sim.world.nowMs < action.atMs) return;
    for (const write of event.writes) if (write.kind === "put-action") seen.set(write.value.id, write.value);
  });
  await advance(sim, action, () =>
    watchPassages(sim, action.kind, reference.durations, (passage) => {
      if (passage.boundary !== cell.boundary || passage.occurrence !== cell.occurrence || struckAtMs !== null) return;
      struckAtMs = sim.world.nowMs;
      verb = passage.verb;
      if (passage.delayMs === null) strike(sim, cell.victim, passage);
      else sim.world.after(passage.delayMs, null, () => strike(sim, cell.victim, passage));
    }),
  );
  const look = (): void => {
    const sinceMs = struckAtMs === null ? 0 : sim.world.nowMs - struckAtMs;
    over = sinceMs >= lookMs.first && isOver(sim, seen) && sinceMs < lookMs.last;
    if (!over) sim.world.after(1_000, null, look);
  };
  look();
  await sim.world.run(action.atMs + referenceMs + lookMs.last, () => over);
  for (const checker of checkers) if (checker.name !== "convergence") checker.finish?.(sim.world.nowMs);
  if (struckAtMs === null) return { ...cell, verb, end: "violated", why: "the boundary was never passed" };
  return { ...cell, verb, ...judgeEnd(sim, action, seen, violations) };
}

function strike(sim: Simulation, victim: Victim, { node, target }: Passage): void {
  const { world, control } = sim;
  const called = (name: string) => sim.nodes.find((other) => other.name === name);
  switch (victim) {
    case "control-plane":
      return control.kill("crash matrix", controlBackMs);
    case "agent": {
      const agent = called(node)?.agent;
      if (agent === undefined) return;
      world.kill(agent.process);
      return world.after(agentBackMs, null, () => agent.boot());
    }
    case "postgres": {
      const server = called(node)?.postgres.process;
      if (server !== undefined) world.kill(server);
      return;
    }
    case "target": {
      const host = called(target);
      if (host !== undefined) world.after(powerBackMs, null, cutPower(sim, host));
      return;
    }
    default:
      victim satisfies never;
  }
}

function isOver(sim: Simulation, seen: ReadonlyMap<string, Action>): boolean {
  const running = [...seen.values()].some((action) => action.phase === "running");
  return !running && describeUnconverged(sim, sim.world.nowMs).length === 0;
}

function judgeEnd(
  sim: Simulation,
  action: MatrixAction,
  seen: ReadonlyMap<string, Action>,
  violations: readonly Violation[],
): { readonly end: CellEnd; readonly why: string } {
  const [worst] = violations.filter(
    ({ text }) => !(action.isTakenOver && text.endsWith("without waiting for any standby")),
  );
  if (worst !== undefined) return { end: "violated", why: `${worst.checker}: ${worst.text}` };
  const own = [...seen.values()].filter((each) => each.kind === action.kind);
  const asking = [...seen.values()].find((each) => each.phase === "needs-operator");
  if (asking !== undefined) return { end: "needs-operator", why: `${asking.id}: ${asking.failure?.code}` };
  const problems = describeUnconverged(sim, sim.world.nowMs);
  // A server that ended before it was taken over is left alone, and automation stays held, until a person starts it.
  const leftAlone = action.isTakenOver && sim.control.tables.clusters.get(sim.cluster)?.primary === null;
  if (leftAlone) return { end: "needs-operator", why: "ended before it was taken over: a person starts it" };
  if (problems.length > 0) return { end: "violated", why: `not converged: ${problems.join("; ")}` };
  if (own.some((each) => each.phase === "done")) return { end: "done", why: "" };
  const last = own.at(-1);
  return { end: "compensated", why: last === undefined ? "never committed" : `${last.phase} (${last.failure?.code})` };
}
