import type { Simulation } from "../simulation.ts";
import { currentPrimary, type Nemesis } from "./nemesis.ts";
import { cutLinks, isolate } from "./network.ts";
import { cutPower, strikeAtCommand } from "./processes.ts";

/** Faults that hurt an asynchronous cluster most. Drawn only where they are asked for. */
export const asyncFaults: readonly Nemesis[] = [
  {
    // Why a sealed member renews no lease: it reaches the old primary again, which the control plane still can't.
    name: "half-return",
    weight: 0,
    lastsMs: [40_000, 60_000],
    begin: (sim, pick) => {
      const { name } = currentPrimary(sim) ?? pick.node();
      const toControl = cutLinks(sim, [
        [name, "ctl"],
        ["ctl", name],
      ]);
      let members: (() => void) | null = cutLinks(sim, linksToMembers(sim, name));
      const mend = (): void => {
        members?.();
        members = null;
      };
      const disarm = strikeAtCommand(sim, ["postgres.seal"], mend, pick.between(200, 1_500));
      const heal = (): void => {
        disarm();
        mend();
        toControl();
      };
      return { subject: name, heal };
    },
  },
  {
    // Why the lag counts: the standbys have fallen far behind when the primary is lost.
    name: "starved-standbys",
    weight: 0,
    lastsMs: [35_000, 50_000],
    begin: (sim, pick) => {
      const primary = currentPrimary(sim) ?? pick.node();
      const { name } = primary;
      const fed = cutLinks(
        sim,
        sim.nodes.filter((node) => node.name !== name).map((node) => [name, node.name] as const),
      );
      const heals = [fed];
      sim.world.after(pick.between(18_000, 25_000), null, () => {
        if (heals.length > 0) heals.push(cutPower(sim, primary));
      });
      const heal = (): void => {
        for (const undo of heals.splice(0)) undo();
      };
      return { subject: name, heal };
    },
  },
];

function linksToMembers(sim: Simulation, name: string): (readonly [string, string])[] {
  return isolate(sim, name).filter(([from, to]) => from !== "ctl" && to !== "ctl");
}
