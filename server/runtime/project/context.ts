import type { Health, HealthState, Now, State } from "../../core/index.ts";
import type { Judgements } from "../core-port.ts";

/** What a projection reads: the state at one instant, and the shell's own memory of what the core doesn't keep. */
export interface ProjectionContext {
  readonly state: State;
  readonly now: Now;
  readonly judgements: Judgements;
  readonly memory: ProjectionMemory;
}

/** When each entity's state last changed, and the recent beats of nodes. Lost at a restart. */
export class ProjectionMemory {
  readonly #since = new Map<string, { state: HealthState; at: number }>();
  readonly #beats = new Map<string, { lastMs: number; gaps: number[] }>();

  /** Wall clock at which `key` came into `state`, as far as anybody looked. */
  since(key: string, state: HealthState, wallMs: number): number {
    const known = this.#since.get(key);
    if (known !== undefined && known.state === state) return known.at;
    this.#since.set(key, { state, at: wallMs });
    return wallMs;
  }

  /** The state in which `key` was last shown; null when nobody looked yet. */
  lastState(key: string): HealthState | null {
    return this.#since.get(key)?.state ?? null;
  }

  recordBeat(node: string, arrivalMs: number): void {
    const beats = this.#beats.get(node);
    if (beats === undefined) {
      this.#beats.set(node, { lastMs: arrivalMs, gaps: [] });
      return;
    }
    beats.gaps.push(Math.round((arrivalMs - beats.lastMs) * 10) / 10);
    if (beats.gaps.length > beatsKept) beats.gaps.shift();
    beats.lastMs = arrivalMs;
  }

  beats(node: string): readonly number[] {
    return [...(this.#beats.get(node)?.gaps ?? [])];
  }

  /** Forgets nodes and clusters that are gone. */
  retain(keys: ReadonlySet<string>): void {
    for (const key of this.#since.keys()) if (!keys.has(key)) this.#since.delete(key);
    for (const node of this.#beats.keys()) if (!keys.has(`node:${node}`)) this.#beats.delete(node);
  }
}

const beatsKept = 120;

export function nodeHealth(context: ProjectionContext, id: string): Health {
  return context.judgements.judgeNodeHealth(context.state, id, context.now);
}

/** Wall clock of a monotonic instant; null for one that never was. */
export function toWallMs(now: Now, monoMs: number): number | null {
  return Number.isFinite(monoMs) ? Math.round(now.wallMs - (now.monoMs - monoMs)) : null;
}
