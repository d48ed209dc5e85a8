import type { Incident, Verdict } from "../incident/types.ts";
import type { State } from "../state.ts";

/** The telemetry's memory: what ended before can't be in a window. */
const remembersMs = 1_800_000;
/** Telemetry goes back to normal a while after the fault ended. */
const recoveryMs = 15_000;
/** After this long what an incident shows is how things are by now: a fault that begins later stands out against it, not against what was before. */
const settlesMs = 300_000;

/**
 * Periods `[from, to]`, wall clock in milliseconds, that were no normal operation for what an incident of services is about: those of other
 * incidents that concern something of it. One that was over when it began is left out as a whole; of one that went on, which may be for days,
 * only the beginning is.
 */
export function faultyPeriods(state: State, incident: Incident, wallMs: number): (readonly [number, number])[] {
  const scope = scopeOf(state, incident);
  return [...state.durable.incidents.values()].flatMap((other) => {
    const { id, beganAt, resolvedAt } = other;
    if (id === incident.id || !concerns(state, other, scope)) return [];
    const end = resolvedAt === null ? wallMs : resolvedAt + recoveryMs;
    const wentOn = resolvedAt === null || resolvedAt > incident.beganAt;
    const to = wentOn ? Math.min(end, beganAt + settlesMs) : end;
    return to > wallMs - remembersMs ? [[beganAt, to] as const] : [];
  });
}

/** The services of an incident with everything that they reach, and what these stand on. */
interface Scope {
  readonly services: ReadonlySet<string>;
  readonly nodes: ReadonlySet<string>;
  readonly clusters: ReadonlySet<string>;
}

function scopeOf(state: State, incident: Incident): Scope {
  const services = new Set(verdictsOf(incident).flatMap(({ subject }) => withReached(state, subject.id)));
  const measures = [...services].flatMap((name) => state.live.services.get(name)?.measure ?? []);
  const clusters = new Set(measures.flatMap((measure) => measure.clusters));
  const members = [...clusters].flatMap((id) => Object.keys(state.durable.clusters.get(id)?.members ?? {}));
  return { services, nodes: new Set([...measures.flatMap(({ nodes }) => nodes), ...members]), clusters };
}

function concerns(state: State, other: Incident, { services, nodes, clusters }: Scope): boolean {
  if (other.cluster !== null && clusters.has(other.cluster)) return true;
  return verdictsOf(other).some(({ subject: { kind, id } }) => {
    switch (kind) {
      case "service":
        return withReached(state, id).some((name) => services.has(name));
      case "node":
      case "link":
        return nodes.has(id);
      case "cluster":
        return clusters.has(id);
      case "control-plane":
        return false;
      default:
        return kind satisfies never;
    }
  });
}

function verdictsOf({ cause, symptoms }: Incident): readonly Verdict[] {
  return [cause, ...symptoms];
}

function withReached(state: State, service: string): string[] {
  return [service, ...(state.live.services.get(service)?.measure.reaches ?? [])];
}
