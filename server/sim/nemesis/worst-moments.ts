import type { CommandRecord } from "../../core/index.ts";
import type { SimNode, Simulation } from "../simulation.ts";
import { currentPrimary, type Nemesis } from "./nemesis.ts";
import { cutLinks, isolate } from "./network.ts";
import { cutPower, freezeAll, strikeAtCommand } from "./processes.ts";

/**
 * Faults in the order in which they hurt most. Chance alone would find these moments once in thousands of runs; each is the
 * counterexample to a rule that somebody could think superfluous.
 */

/** Things to undo, once each, also those that come up later. */
export function collectHeals(): { add(...heals: (() => void)[]): void; heal(): void; isOver(): boolean } {
  const pending: (() => void)[] = [];
  let over = false;
  return {
    add: (...heals) => pending.push(...heals),
    heal: () => {
      over = true;
      for (const undo of pending.splice(0)) undo();
    },
    isOver: () => over,
  };
}

/** Only `heir` still receives from the primary: from now on it alone holds what is acknowledged. */
export function starveAllBut(sim: Simulation, primary: SimNode, heir: SimNode): () => void {
  const others = sim.nodes.filter((node) => node !== primary && node !== heir);
  return cutLinks(
    sim,
    others.map((node) => [primary.name, node.name] as const),
  );
}

/** Strikes the next server that opens a timeline, before anybody has followed it. */
function strikeAtOpening(sim: Simulation, strike: (node: SimNode) => void): () => void {
  let armed = true;
  sim.world.listen((event) => {
    if (!armed || event.kind !== "postgres-promoted") return;
    armed = false;
    const node = sim.nodes.find((other) => other.name === event.node);
    if (node !== undefined) strike(node);
  });
  return () => {
    armed = false;
  };
}

export const worstMoments: readonly Nemesis[] = [
  {
    // Why a quorum: the one standby with the newest acknowledged rows goes down together with the primary.
    name: "lone-acknowledger",
    weight: 3,
    lastsMs: [8_000, 30_000],
    begin: (sim, pick) => {
      const primary = currentPrimary(sim) ?? pick.node();
      const heir = pick.other(primary);
      const heals = collectHeals();
      heals.add(starveAllBut(sim, primary, heir));
      sim.world.after(pick.between(300, 900), null, () => {
        if (!heals.isOver()) heals.add(cutPower(sim, primary), cutPower(sim, heir));
      });
      return { subject: `${primary.name} with ${heir.name}`, heal: heals.heal };
    },
  },
  {
    // Why a position is read before anybody is followed: the old primary comes back with more WAL than the point at which it was left.
    name: "ahead-alone",
    weight: 3,
    lastsMs: [3_000, 20_000],
    begin: (sim, pick) => {
      const primary = currentPrimary(sim) ?? pick.node();
      const heals = collectHeals();
      heals.add(cutLinks(sim, isolate(sim, primary.name)));
      const wanted = Math.round(pick.between(200, 4_000));
      // An asynchronous primary acknowledges them, and a burst beyond its limit is the hole that its promise names (docs/decisions/async.md, "Left").
      const isAsync = sim.control.tables.clusters.get(sim.cluster)?.durability.mode === "async";
      const commits = isAsync ? Math.ceil(wanted / 100) : wanted;
      sim.world.after(pick.between(10, 300), null, () => {
        for (let count = 0; count < commits; count++) primary.postgres.agentCommit(true, () => {});
      });
      sim.world.after(pick.between(400, 1_500), null, () => {
        if (!heals.isOver()) heals.add(cutPower(sim, primary));
      });
      return { subject: `${primary.name} with ${commits} commits of its own`, heal: heals.heal };
    },
  },
  {
    // Why old configurations are kept until a write was verified: the candidate dies before anybody has its rows.
    name: "heir-dies",
    weight: 3,
    lastsMs: [15_000, 30_000],
    begin: (sim, pick) => {
      const primary = currentPrimary(sim) ?? pick.node();
      const heir = pick.other(primary);
      const heals = collectHeals();
      const fed = starveAllBut(sim, primary, heir);
      heals.add(fed);
      const delayMs = pick.between(0, 90);
      const atOpening = pick.chance(0.5);
      sim.world.after(pick.between(300, 900), null, () => {
        if (heals.isOver()) return;
        heals.add(cutPower(sim, primary));
        const strike = (node: SimNode): void => {
          if (!heals.isOver()) heals.add(cutPower(sim, node));
        };
        heals.add(
          atOpening ? strikeAtOpening(sim, strike) : strikeAtCommand(sim, ["postgres.promote"], strike, delayMs),
        );
      });
      const when = atOpening ? "as it opens its timeline" : `+ ${Math.round(delayMs)} ms`;
      return { subject: `${primary.name}, then ${heir.name} ${when}`, heal: heals.heal };
    },
  },
  {
    // Why both sets are recorded, and the flush barrier: the member that alone acknowledged is gone, the set is changed to the others,
    // and the primary dies before they have caught up.
    name: "moving-set",
    weight: 3,
    lastsMs: [25_000, 40_000],
    begin: (sim, pick) => {
      const primary = currentPrimary(sim) ?? pick.node();
      const leaving = pick.other(primary);
      const heals = collectHeals();
      heals.add(starveAllBut(sim, primary, leaving));
      const delayMs = pick.between(5, 400);
      const strike = (): void => {
        if (!heals.isOver()) heals.add(cutPower(sim, primary));
      };
      sim.world.after(pick.between(300, 1_500), null, () => {
        if (heals.isOver()) return;
        heals.add(cutPower(sim, leaving));
        heals.add(strikeAtCommand(sim, ["postgres.configure"], strike, delayMs));
      });
      return { subject: `${leaving.name} leaves ${primary.name}'s set`, heal: heals.heal };
    },
  },
  {
    // Why a sealed member's receiver is ended: the frozen primary wakes up the moment the seals are given, and nobody is there to go on.
    name: "thaw-at-seal",
    weight: 3,
    lastsMs: [15_000, 30_000],
    begin: (sim, pick) => {
      const primary = currentPrimary(sim) ?? pick.node();
      const heals = collectHeals();
      const resume = freezeAll(sim, primary.host.processes);
      heals.add(resume);
      const delayMs = pick.between(2, 30);
      const strike = (): void => {
        resume();
        // The agent stays deaf for a while, or it would fence its server at once.
        heals.add(cutLinks(sim, [["ctl", primary.name]]));
        if (pick.chance(0.5)) sim.control.kill(null, pick.between(500, 3_000));
      };
      heals.add(strikeAtCommand(sim, ["postgres.seal"], strike, delayMs));
      return { subject: `${primary.name} + ${Math.round(delayMs)} ms`, heal: heals.heal };
    },
  },
  {
    // Why agents compare epochs: a leader that was paused between commit and send, or works on a cloned database, sends what is long over.
    name: "ghost-leader",
    weight: 4,
    lastsMs: [15_000, 60_000],
    begin: (sim) => {
      const held: CommandRecord[] = [];
      let listening = true;
      sim.world.listen((event) => {
        if (!listening || event.kind !== "control-committed") return;
        for (const write of event.writes) if (write.kind === "put-command" && held.length < 50) held.push(write.value);
      });
      const heal = (): void => {
        listening = false;
        for (let again = 0; again < 4; again++) sim.world.after(again * 5_000, null, send);
      };
      const send = (): void => {
        for (const command of held) {
          const agent = sim.nodes.find((node) => node.name === command.node)?.agent;
          if (agent?.process.alive !== true) continue;
          // A leader on a cloned database makes the old orders anew, under ids that nobody has seen.
          const isOld = command.grant.epoch < (sim.control.tables.clusters.get(sim.cluster)?.epoch ?? 0);
          const order = isOld ? { ...command, id: `${command.id}~${sim.world.random.hex()}` } : command;
          sim.world.after(1, agent.process, () => agent.takeCommand(order));
        }
      };
      return { subject: "commands of a former leader", heal };
    },
  },
  {
    name: "durability-changed",
    weight: 2,
    lastsMs: [20_000, 60_000],
    begin: (sim, pick) => {
      const standbys = sim.nodes.length - 1;
      const k = Math.max(1, Math.min(standbys - 1, pick.chance(0.5) ? 2 : 1));
      changeDurability(sim, k);
      return { subject: `k = ${k}`, heal: () => changeDurability(sim, 1) };
    },
  },
  {
    // A whole side goes dark: the primary and as many others as make half.
    name: "split",
    weight: 2,
    lastsMs: [2_000, 40_000],
    begin: (sim, pick) => {
      const primary = currentPrimary(sim) ?? pick.node();
      const companion = pick.other(primary);
      const cuts = [...isolate(sim, primary.name), ...isolate(sim, companion.name)].filter(
        ([from, to]) =>
          !(from === primary.name && to === companion.name) && !(from === companion.name && to === primary.name),
      );
      return { subject: `${primary.name} with ${companion.name}`, heal: cutLinks(sim, cuts) };
    },
  },
];

/** The promise of the cluster, as a person changes it: in the record only; the core draws the consequences. */
export function changeDurability(sim: Simulation, k: number): void {
  const { tables, state } = sim.control;
  const stored = tables.clusters.get(sim.cluster);
  if (stored === undefined || stored.durability.mode !== "sync") return;
  const changed = { ...stored, durability: { mode: "sync", k } as const };
  tables.clusters.set(sim.cluster, changed);
  const known = state.durable.clusters.get(sim.cluster);
  if (known !== undefined) state.durable.clusters.set(sim.cluster, { ...known, durability: changed.durability });
}
