import { planAction } from "../../core/index.ts";
import type { MemoryTables } from "../../store/memory/tables.ts";
import { boundaries } from "../control.ts";
import type { Simulation } from "../simulation.ts";
import { currentPrimary, type Nemesis, type Pick } from "./nemesis.ts";
import { cutLinks, isolate } from "./network.ts";

/** Faults of the control plane, its clock and its database, and people who act at the same time. */
export const controlFaults: readonly Nemesis[] = [
  {
    name: "ctl-kill",
    weight: 5,
    lastsMs: [200, 60_000],
    begin: (sim) => {
      sim.control.kill(null, null);
      return { subject: "control plane", heal: () => sim.control.boot() };
    },
  },
  {
    name: "ctl-trap",
    weight: 10,
    lastsMs: [30_000, 60_000],
    begin: (sim, pick) => {
      const boundary = pick.one(boundaries);
      const countdown = Math.ceil(pick.between(0, 8));
      const restartAfterMs = pick.between(50, 5_000);
      sim.control.trap = { boundary, countdown, restartAfterMs };
      return {
        subject: `control plane, passage ${countdown} ${boundary}`,
        heal: () => {
          sim.control.trap = null;
        },
      };
    },
  },
  {
    name: "ctl-freeze",
    weight: 4,
    lastsMs: [300, 30_000],
    begin: (sim) => {
      const { process } = sim.control;
      const { incarnation } = process;
      sim.world.freeze(process);
      const heal = (): void => {
        if (process.incarnation === incarnation) sim.world.resume(process);
      };
      return { subject: "control plane", heal };
    },
  },
  {
    name: "ctl-cut",
    weight: 4,
    lastsMs: [500, 60_000],
    begin: (sim) => ({ subject: "control plane", heal: cutLinks(sim, isolate(sim, "ctl")) }),
  },
  {
    name: "store-down",
    weight: 4,
    lastsMs: [500, 30_000],
    begin: (sim) => {
      sim.control.tables.faults.available = false;
      return {
        subject: "database",
        heal: () => {
          sim.control.tables.faults.available = true;
        },
      };
    },
  },
  {
    name: "store-answer-lost",
    weight: 5,
    lastsMs: [20_000, 30_000],
    begin: (sim, pick) => {
      const { faults } = sim.control.tables;
      const lost = pick.one(["made", "not-made"] as const);
      faults.nextAnswerLost = lost;
      return {
        subject: `database, next commit ${lost}`,
        heal: () => {
          faults.nextAnswerLost = null;
        },
      };
    },
  },
  {
    name: "store-slow",
    weight: 2,
    lastsMs: [2_000, 30_000],
    begin: (sim, pick) => {
      sim.control.storeLatencyMs = pick.between(20, 800);
      return {
        subject: "database",
        heal: () => {
          sim.control.storeLatencyMs = 2;
        },
      };
    },
  },
  {
    // Drawn only where it is asked for: afterwards automation is held until a person looks, by design.
    name: "store-restored",
    weight: 0,
    lastsMs: [5_000, 20_000],
    begin: (sim) => {
      const { tables } = sim.control;
      const before = snapshot(tables);
      const heal = (): void => {
        sim.control.kill(null, 200);
        restore(tables, before);
      };
      return { subject: "database, to what it was before", heal };
    },
  },
  {
    name: "clock-jump",
    weight: 4,
    lastsMs: [5_000, 60_000],
    begin: (sim, pick) => {
      const host = pick.one([...sim.world.hosts.values()]);
      const jumpMs = pick.between(-3_600_000, 3_600_000);
      host.wallOffsetMs += jumpMs;
      const heal = (): void => {
        host.wallOffsetMs -= jumpMs;
      };
      return { subject: `${host.name} by ${Math.round(jumpMs / 1_000)} s`, heal };
    },
  },
  {
    name: "switchover",
    weight: 8,
    lastsMs: [10, 20],
    begin: (sim, pick) => {
      const subject = requestAction(sim, pick, "switchover", "operator");
      return { subject, heal: () => {} };
    },
  },
  {
    name: "two-operators",
    weight: 3,
    lastsMs: [10, 20],
    begin: (sim, pick) => {
      const first = requestAction(sim, pick, "switchover", "one");
      const second = requestAction(sim, pick, pick.one(["switchover", "failover"] as const), "other");
      return { subject: `${first} / ${second}`, heal: () => {} };
    },
  },
  {
    name: "automation-held",
    weight: 1,
    lastsMs: [2_000, 30_000],
    begin: (sim) => {
      const set = (state: "on" | "held"): void => {
        sim.world.promiseSettled = true;
        const request = { kind: "set-automation", cluster: sim.cluster, state, reason: "simulated" } as const;
        void sim.control.request("operator", request);
        // A person who gets no answer, or a control plane that ended before it gave one, looks and asks again.
        const isSet = () => sim.control.tables.clusters.get(sim.cluster)?.automation.state === state;
        if (state === "on") sim.world.after(2_000, null, () => isSet() || set(state));
      };
      set("held");
      return { subject: sim.cluster, heal: () => set("on") };
    },
  },
];

/** What an operator does on the screen: looks at the plan, then runs it under the hash that was shown. */
export function requestAction(sim: Simulation, pick: Pick, kind: "switchover" | "failover", who: string): string {
  const { control, world, cluster } = sim;
  const primary = currentPrimary(sim);
  const target = primary === undefined ? sim.nodes[0]?.name : pick.other(primary).name;
  const asked = `${kind} to ${target}`;
  if (!control.process.alive || control.process.frozen || target === undefined) return `${asked} (nobody listens)`;
  if (!control.state.durable.clusters.has(cluster)) return `${asked} (no such cluster)`;
  const now = { monoMs: world.monoMs(control.host), wallMs: world.wallMs(control.host), entropy: "" };
  const plan = planAction(control.state, { kind, cluster, target }, now);
  const { planHash } = plan;
  const request = { kind, cluster, target, planHash, reason: "simulated" };
  world.after(pick.between(5, 2_000), null, () => {
    world.promiseSettled = true;
    void control.request(who, request);
  });
  return asked;
}

const restoredMaps = ["clusters", "actions", "commands", "incidents"] as const;

type Snapshot = readonly (readonly [(typeof restoredMaps)[number], ReadonlyMap<string, unknown>])[];

function snapshot(tables: MemoryTables): Snapshot {
  return restoredMaps.map((name) => [name, new Map<string, unknown>(tables[name])] as const);
}

/** A backup is put back: the database knows nothing of what happened since. */
function restore(tables: MemoryTables, before: Snapshot): void {
  for (const [name, rows] of before) {
    const target = tables[name] as Map<string, unknown>;
    target.clear();
    for (const [key, value] of rows) target.set(key, value);
  }
}
