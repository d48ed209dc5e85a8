import type { Simulation } from "./simulation.ts";
import { reset } from "./watchdog.ts";
import type { Process } from "./world.ts";

/** What a fencing hook does: cuts the node's power. `answer` comes when that is certain, and only to a runner that still lives. */
export type Hook = (node: string, runner: Process, answer: (fenced: boolean) => void) => void;

const failureShare = 0.25;

/** A power switch that takes its time, and sometimes fails. What it has cut comes up again after a while. */
export function createHook(sim: Pick<Simulation, "world" | "nodes">): Hook {
  const { world, nodes } = sim;
  return (name, runner, answer) => {
    const node = nodes.find((other) => other.name === name);
    world.after(world.random.between(300, 3_000), runner, () => {
      if (node === undefined || world.random.chance(failureShare)) return answer(false);
      reset(world, node.host, world.random.between(4_000, 15_000), () => {
        node.writer.restart();
        node.agent.boot();
      });
      answer(true);
    });
  };
}
