import type { PostgresModel } from "./postgres-model.ts";
import type { SimWorld } from "./trace.ts";
import type { Process } from "./world.ts";

/** The witness: a writer pinned to its own node's server. It numbers its rows, never writes one twice, and believes only COMMIT. */
export interface Writer {
  readonly process: Process;
  /** Milliseconds between two attempts. */
  everyMs: number;
  attempted: number;
  acknowledged: number;
  lastAcknowledgedMs: number;
  /** After a power loss took the process along. */
  restart(): void;
}

export function startWriter(world: SimWorld, postgres: PostgresModel, nextRow: () => number, everyMs: number): Writer {
  const process = world.addProcess(`writer@${postgres.node}`, postgres.host);
  let waiting = false;
  const restart = (): void => {
    if (process.alive) return;
    waiting = false;
    world.boot(process);
    world.after(world.random.between(0, everyMs), process, attempt);
  };
  const writer: Writer = { process, everyMs, attempted: 0, acknowledged: 0, lastAcknowledgedMs: 0, restart };
  const attempt = (): void => {
    world.after(writer.everyMs * world.random.between(0.8, 1.2), process, attempt);
    if (waiting) return;
    const taken = postgres.insert(nextRow(), (how) => {
      waiting = false;
      if (how !== "acknowledged") return;
      writer.acknowledged++;
      writer.lastAcknowledgedMs = world.nowMs;
    });
    if (!taken) return;
    waiting = true;
    writer.attempted++;
  };
  restart();
  return writer;
}
