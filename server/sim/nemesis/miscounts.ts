import { currentPrimary, type Nemesis } from "./nemesis.ts";
import { cutLinks } from "./network.ts";
import { cutPower, strikeAtCommand } from "./processes.ts";
import { collectHeals, starveAllBut } from "./worst-moments.ts";

/**
 * Moments at which something counts that must not: a stream twice, a position that nobody knows, a commit that nobody else has, a
 * promotion that nobody heard of as one that was not made.
 */
export const miscounts: readonly Nemesis[] = [
  {
    // Why a slot for each member: the standby dials again while the primary still holds its former connection, and `ANY 2` is satisfied by one.
    name: "stream-twice",
    weight: 2,
    lastsMs: [10_000, 30_000],
    begin: (sim, pick) => {
      const primary = currentPrimary(sim) ?? pick.node();
      const heir = pick.other(primary);
      const heals = collectHeals();
      heals.add(starveAllBut(sim, primary, heir));
      const strikeMs = pick.between(100, 600);
      sim.world.after(pick.between(300, 900), null, () => {
        if (heals.isOver()) return;
        sim.network.resetStreams(heir.postgres.process, primary.postgres.process);
        sim.world.after(strikeMs, null, () => {
          if (!heals.isOver()) heals.add(cutPower(sim, primary), cutPower(sim, heir));
        });
      });
      return { subject: `${heir.name} at ${primary.name}`, heal: heals.heal };
    },
  },
  {
    // Why an unknown position is not zero: the one standby with the newest acknowledged rows restarts, and its receiver has got nothing since.
    name: "heir-restarts",
    weight: 2,
    lastsMs: [12_000, 30_000],
    begin: (sim, pick) => {
      const primary = currentPrimary(sim) ?? pick.node();
      const heir = pick.other(primary);
      const heals = collectHeals();
      heals.add(starveAllBut(sim, primary, heir));
      const backMs = pick.between(500, 4_000);
      sim.world.after(pick.between(300, 900), null, () => {
        if (heals.isOver()) return;
        heals.add(cutPower(sim, primary));
        sim.world.after(backMs, null, cutPower(sim, heir));
      });
      return { subject: `${primary.name} with ${heir.name}`, heal: heals.heal };
    },
  },
  {
    // Why a promotion of unknown outcome is only ever repeated: it is made, its agent dies before it can say so, and the old primary is back.
    name: "promotion-unheard",
    weight: 2,
    lastsMs: [10_000, 20_000],
    begin: (sim, pick) => {
      const primary = currentPrimary(sim) ?? pick.node();
      const agentBackMs = pick.between(50, 600);
      const disarm = strikeAtCommand(
        sim,
        ["postgres.promote"],
        ({ agent }) => {
          sim.world.kill(agent.process);
          sim.world.after(agentBackMs, null, () => agent.boot());
        },
        pick.between(0, 60),
      );
      sim.world.after(pick.between(2_000, 6_000), null, cutPower(sim, primary));
      return { subject: primary.name, heal: disarm };
    },
  },
  {
    // Why users wait behind a gate: the primary restarts with commits that no standby has, and is lost before one has them.
    name: "restart-unheard",
    weight: 2,
    lastsMs: [12_000, 30_000],
    begin: (sim, pick) => {
      const primary = currentPrimary(sim) ?? pick.node();
      const heals = collectHeals();
      const others = sim.nodes.filter((node) => node !== primary);
      heals.add(
        cutLinks(
          sim,
          others.map((node) => [primary.name, node.name] as const),
        ),
      );
      const lostMs = pick.between(50, 1_500);
      sim.world.listen((event) => {
        if (heals.isOver() || event.kind !== "postgres-started" || event.node !== primary.name) return;
        sim.world.after(lostMs, null, () => {
          if (!heals.isOver() && primary.host.up) heals.add(cutPower(sim, primary));
        });
      });
      sim.world.after(pick.between(300, 900), null, () => {
        if (!heals.isOver()) sim.world.kill(primary.postgres.process);
      });
      return { subject: primary.name, heal: heals.heal };
    },
  },
];
