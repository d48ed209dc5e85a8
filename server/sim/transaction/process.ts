import type { World } from "./network.ts";

class Crash extends Error {}

/** Where crashes strike: the n-th boundary that any process passes. */
export class Crashes {
  #passed = 0;
  readonly #at: ReadonlySet<number>;
  readonly struck = new Set<string>();

  constructor(at: ReadonlySet<number>) {
    this.#at = at;
  }

  get passed(): number {
    return this.#passed;
  }

  /** @throws Crash when it is this one. */
  pass(label: string): void {
    this.#passed += 1;
    if (!this.#at.has(this.#passed)) return;
    this.struck.add(label);
    throw new Crash(label);
  }
}

/** A process that may die at every boundary between computing, persisting and sending, and comes back with its disk only. */
export abstract class Process {
  readonly id: string;
  protected readonly world: World;
  readonly #crashes: Crashes;
  readonly #returns: boolean;
  #incarnation = 0;
  #alive = true;

  constructor(id: string, world: World, crashes: Crashes, returns = true) {
    this.id = id;
    this.world = world;
    this.#crashes = crashes;
    this.#returns = returns;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Runs a turn unless the process is down; a crash inside ends it. */
  turn(work: () => void): void {
    if (!this.#alive) return;
    try {
      work();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.#die();
    }
  }

  protected boundary(label: string): void {
    this.#crashes.pass(label);
  }

  /** A timer of this incarnation: a crash takes it along. */
  protected later(delayMs: number, work: () => void): void {
    const incarnation = this.#incarnation;
    this.world.after(delayMs, () => {
      if (incarnation === this.#incarnation) this.turn(work);
    });
  }

  /** Reads the disk and goes on. */
  protected abstract restart(): void;

  #die(): void {
    this.#alive = false;
    this.#incarnation += 1;
    if (!this.#returns) return;
    this.world.after(this.world.random.between(50, 3_000), () => {
      this.#alive = true;
      this.turn(() => this.restart());
    });
  }
}
