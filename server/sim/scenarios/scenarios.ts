import { requestAction } from "../nemesis/control.ts";
import { createPick } from "../nemesis/nemesis.ts";
import { cutLinks, isolate } from "../nemesis/network.ts";
import { cutPower, freezeAll } from "../nemesis/processes.ts";
import { createSimulation, type SimNode, type Simulation } from "../simulation.ts";
import { createStory } from "../story.ts";

/** A golden scenario: one fault on a healthy cluster whose primary is `a`. Its transcript is compared word for word. */
export interface Scenario {
  readonly name: string;
  /** The story in a sentence, with its bound. */
  readonly says: string;
  /** When nothing more is to be told, milliseconds. */
  readonly untilMs: number;
  begin(sim: Simulation): void;
}

const beginMs = 10_000;
const storySeed = 7;

const nodeCalled = (sim: Simulation, name: string): SimNode => {
  const node = sim.nodes.find((other) => other.name === name);
  if (node === undefined) throw new Error(`there is no node ${name}`);
  return node;
};

export const scenarios: readonly Scenario[] = [
  {
    name: "crash",
    says: "Server and agent of the primary are killed: a standby serves within 0.3 s; the node comes back and streams within 10 s.",
    untilMs: 30_000,
    begin(sim) {
      const { postgres, agent } = nodeCalled(sim, "a");
      sim.world.kill(postgres.process);
      sim.world.kill(agent.process);
      sim.world.after(5_000, null, () => agent.boot());
    },
  },
  {
    name: "pgkill",
    says: "PostgreSQL alone is killed: its agent's word is proof, a standby serves within 0.3 s.",
    untilMs: 25_000,
    begin: (sim) => sim.world.kill(nodeCalled(sim, "a").postgres.process),
  },
  {
    name: "freeze",
    says: "The whole node stops for 20 s: a standby serves within 3 s; the old primary wakes up, acknowledges nothing new, and rejoins.",
    untilMs: 50_000,
    begin(sim) {
      const resume = freezeAll(sim, nodeCalled(sim, "a").host.processes);
      sim.world.after(20_000, null, resume);
    },
  },
  {
    name: "partition",
    says: "The primary is cut off for 20 s: a standby serves within 4 s; the old primary acknowledges nothing meanwhile, and rejoins.",
    untilMs: 50_000,
    begin(sim) {
      const heal = cutLinks(sim, isolate(sim, "a"));
      sim.world.after(20_000, null, heal);
    },
  },
  {
    name: "power",
    says: "The primary's host loses power, and what was not synced with it, for 15 s.",
    untilMs: 45_000,
    begin(sim) {
      const back = cutPower(sim, nodeCalled(sim, "a"));
      sim.world.after(15_000, null, back);
    },
  },
  {
    name: "switchover",
    says: "An operator moves the primary to c: writes pause for less than 0.3 s, the old primary follows.",
    untilMs: 25_000,
    begin: (sim) => {
      requestAction(sim, { ...createPick(sim), other: () => nodeCalled(sim, "c") }, "switchover", "operator");
    },
  },
  {
    name: "blip",
    says: "The primary is cut off for 0.9 s: nothing happens.",
    untilMs: 20_000,
    begin(sim) {
      const heal = cutLinks(sim, isolate(sim, "a"));
      sim.world.after(900, null, heal);
    },
  },
  {
    name: "control-plane-killed-mid-failover",
    says: "The control plane dies after it has sent the seals, and comes back after 2 s: it finds the intent and goes on.",
    untilMs: 35_000,
    begin(sim) {
      sim.control.trap = { boundary: "after-send", countdown: 2, restartAfterMs: 2_000 };
      sim.world.kill(nodeCalled(sim, "a").postgres.process);
    },
  },
  {
    name: "disk-full",
    says: "The primary's disk takes nothing more for 20 s: after 5 s a sound standby takes over; the old primary rejoins.",
    untilMs: 45_000,
    begin(sim) {
      const { postgres } = nodeCalled(sim, "a");
      postgres.diskFull = true;
      sim.world.after(20_000, null, () => {
        postgres.diskFull = false;
      });
    },
  },
  {
    name: "second-fault",
    says: "The new primary dies 2 s after the failover, before the old one is back: writes wait until a second member is.",
    untilMs: 60_000,
    begin(sim) {
      const back = cutPower(sim, nodeCalled(sim, "a"));
      sim.world.after(15_000, null, back);
      sim.world.after(2_500, null, () => {
        const primary = sim.nodes.find((node) => node.postgres.role === "primary");
        if (primary !== undefined) sim.world.kill(primary.postgres.process);
      });
    },
  },
];

/** Plays a scenario and tells it; times in tenths of a second from the fault on, so that a changed cost alone changes nothing. */
export async function tellScenario(scenario: Scenario): Promise<string> {
  const sim = createSimulation({ seed: storySeed, policy: { failoverBudget: 10 } });
  const lines: string[] = [scenario.says, ""];
  await sim.world.run(beginMs);
  const acknowledgedAt: number[] = [];
  sim.world.listen((event, nowMs) => {
    if (event.kind === "row-acknowledged") acknowledgedAt.push(nowMs);
  });
  createStory(sim, (nowMs, who, what) => {
    lines.push(`${((nowMs - beginMs) / 1_000).toFixed(1).padStart(6)} s  ${who.padEnd(5)}  ${what}`);
  });
  scenario.begin(sim);
  await sim.world.run(scenario.untilMs);
  const gap = longestGap([beginMs, ...acknowledgedAt, scenario.untilMs]);
  const primary = sim.nodes.filter((node) => node.postgres.role === "primary").map((node) => node.name);
  const streaming = sim.nodes.flatMap((node) => node.postgres.senders.map((sender) => sender.applicationName)).sort();
  lines.push(
    "",
    `primary ${primary.join(", ")}; streaming ${streaming.join(", ")}; longest pause of writes ${(gap / 1_000).toFixed(1)} s`,
  );
  return `${lines.join("\n")}\n`;
}

function longestGap(times: readonly number[]): number {
  let longest = 0;
  for (let index = 1; index < times.length; index++) {
    longest = Math.max(longest, (times[index] as number) - (times[index - 1] as number));
  }
  return longest;
}
