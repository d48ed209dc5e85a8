import { createRandom, type Random } from "./random.ts";

/**
 * Discrete-event world with virtual time in milliseconds. Nothing here reads a real clock: the same seed gives the same
 * order of events. A task may belong to a process; it is dropped when that incarnation has died and kept back while frozen.
 */
interface Task {
  at: number;
  order: number;
  process: Process | null;
  incarnation: number;
  run: () => void;
}

export interface Host {
  readonly name: string;
  up: boolean;
  /** Milliseconds per world millisecond of this host's monotonic clock. */
  drift: number;
  /** Offset of its wall clock, milliseconds; jumps. */
  wallOffsetMs: number;
  /** Factor on the time that its processes take; a loaded machine has more than 1. */
  load: number;
  readonly processes: Process[];
}

/** One operating-system process. Killing it loses its memory; what it had on disk is kept by whoever models the disk. */
export interface Process {
  readonly name: string;
  readonly host: Host;
  alive: boolean;
  frozen: boolean;
  incarnation: number;
  /** Work that came due while the process was stopped, in order. */
  readonly deferred: (() => void)[];
  /** Called after death: sockets are closed by the kernel (`kill`), or vanish without a word (`power`). */
  readonly onDeath: ((how: "kill" | "power") => void)[];
}

/** What a model needs of the world that it lives in. */
export interface Scheduler {
  readonly nowMs: number;
  readonly random: Random;
  after(delayMs: number, process: Process | null, run: () => void): void;
}

/** A line of the run's story: who did what. Checkers and transcripts read these. */
export type TraceListener<E> = (event: E, nowMs: number) => void;

/** Longest chain of promises between a settled one and the code that waits; more would only be late, never out of order. */
const MICROTASK_TURNS = 12;

export const EPOCH_WALL_MS = Date.UTC(2026, 0, 1);

export class World<E = unknown> implements Scheduler {
  nowMs = 0;
  readonly random: Random;
  readonly hosts = new Map<string, Host>();
  steps = 0;
  /** Set by whoever settled a promise: what waits for it runs before the next event. */
  promiseSettled = false;
  private readonly heap: Task[] = [];
  private order = 0;
  private readonly listeners: TraceListener<E>[] = [];

  constructor(seed: number) {
    this.random = createRandom(seed);
  }

  addHost(name: string): Host {
    const host: Host = { name, up: true, drift: 1, wallOffsetMs: 0, load: 1, processes: [] };
    this.hosts.set(name, host);
    return host;
  }

  addProcess(name: string, host: Host): Process {
    const process: Process = {
      name,
      host,
      alive: false,
      frozen: false,
      incarnation: 0,
      deferred: [],
      onDeath: [],
    };
    host.processes.push(process);
    return process;
  }

  /** Starts a new incarnation; nothing of the old one runs any more. */
  boot(process: Process): void {
    process.alive = true;
    process.frozen = false;
    process.incarnation++;
    process.deferred.length = 0;
  }

  kill(process: Process, how: "kill" | "power" = "kill"): void {
    if (!process.alive) return;
    process.alive = false;
    process.frozen = false;
    process.incarnation++;
    process.deferred.length = 0;
    for (const listener of process.onDeath.slice()) listener(how);
  }

  freeze(process: Process): void {
    if (process.alive) process.frozen = true;
  }

  resume(process: Process): void {
    if (!process.frozen) return;
    process.frozen = false;
    const waiting = process.deferred.splice(0);
    for (const run of waiting) this.after(0, process, run);
  }

  listen(listener: TraceListener<E>): void {
    this.listeners.push(listener);
  }

  emit(event: E): void {
    for (const listener of this.listeners) listener(event, this.nowMs);
  }

  monoMs(host: Host): number {
    return this.nowMs * host.drift;
  }

  wallMs(host: Host): number {
    return Math.round(EPOCH_WALL_MS + this.nowMs * host.drift + host.wallOffsetMs);
  }

  /** Runs `run` after `delayMs` of world time, if `process` (its present incarnation) is still there. */
  after(delayMs: number, process: Process | null, run: () => void): void {
    // What a dying process had still begun is not carried out.
    if (process !== null && !process.alive) return;
    const task: Task = {
      at: this.nowMs + Math.max(0, delayMs),
      order: this.order++,
      process,
      incarnation: process === null ? 0 : process.incarnation,
      run,
    };
    this.push(task);
  }

  /** The same for work that a loaded machine does more slowly. */
  work(costMs: number, process: Process, run: () => void): void {
    this.after(costMs * process.host.load, process, run);
  }

  /** Runs everything up to and including `untilMs`, for models that use no promises. */
  runUntil(untilMs: number): void {
    while (this.step(untilMs)) {}
    this.nowMs = untilMs;
  }

  /** The same for a world with promises in it: they settle at the virtual time at which their cause happened. */
  async run(untilMs: number, stop: () => boolean = () => false): Promise<void> {
    while (!stop() && this.step(untilMs)) {
      if (!this.promiseSettled) continue;
      this.promiseSettled = false;
      for (let turn = 0; turn < MICROTASK_TURNS; turn++) await null;
    }
    if (!stop()) this.nowMs = untilMs;
  }

  private step(untilMs: number): boolean {
    const first = this.heap[0];
    if (first === undefined || first.at > untilMs) return false;
    this.pop();
    this.nowMs = first.at;
    const { process } = first;
    if (process !== null) {
      if (process.incarnation !== first.incarnation) return true;
      if (process.frozen) {
        process.deferred.push(first.run);
        return true;
      }
    }
    this.steps++;
    first.run();
    return true;
  }

  private push(task: Task): void {
    const { heap } = this;
    let index = heap.length;
    heap.push(task);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex] as Task;
      if (isBefore(parent, task)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = task;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop() as Task;
    const size = heap.length;
    if (size === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= size) break;
      if (child + 1 < size && isBefore(heap[child + 1] as Task, heap[child] as Task)) child++;
      if (isBefore(last, heap[child] as Task)) break;
      heap[index] = heap[child] as Task;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
