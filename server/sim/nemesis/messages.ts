import type { SimNode, Simulation } from "../simulation.ts";
import type { TraceEvent } from "../trace.ts";
import type { Nemesis, Pick } from "./nemesis.ts";

/**
 * Faults of messages between agents and control plane, as far as the transport can show them. A session is one TCP connection: within it
 * nothing comes twice, out of order or with a gap (see `network.ts`). What does happen is between two sessions of one agent: frames of the
 * old one come while the new one is in use, commands and results that went into the old one are told again, and an acknowledgement that
 * was lost with it makes the agent tell a result that was taken long ago. And the control plane itself repeats a command without a result.
 */

type Direction = "to-control-plane" | "to-agent" | "both";
const directions: readonly Direction[] = ["to-control-plane", "to-agent", "both"];

/** The node's present session is stuck, its next one is not. */
function holdSession(sim: Simulation, node: SimNode, direction: Direction): () => void {
  const { network, control } = sim;
  const goOn = [
    ...(direction === "to-agent" ? [] : [network.holdStreams(node.agent.process, control.process)]),
    ...(direction === "to-control-plane" ? [] : [network.holdStreams(control.process, node.agent.process)]),
  ];
  return () => {
    for (const release of goOn) release();
  };
}

/** One end learns that the session is gone: the agent dials again at once; or the control plane's next frame finds nobody. */
function resetSession(sim: Simulation, node: SimNode, told: "agent" | "control-plane"): void {
  const { network, control } = sim;
  if (told === "agent") network.resetStreams(node.agent.process, control.process);
  else network.resetStreams(control.process, node.agent.process);
}

/** What a frame's way looks like from outside; a session that breaks just then has delivered it, or has not. */
const moments = ["command-sent", "command-began", "command-ended", "result-arrived", "result-acknowledged"] as const;

function nodeOf(event: TraceEvent): string | null {
  switch (event.kind) {
    case "command-sent":
      return event.command.node;
    case "command-began":
    case "command-ended":
    case "result-arrived":
    case "result-acknowledged":
      return event.node;
    default:
      return null;
  }
}

/** The agent gives its session up and dials again, while what it sent last is still under way. */
function overtakeSession(sim: Simulation, node: SimNode, pick: Pick): () => void {
  const goOn = holdSession(sim, node, pick.one(directions));
  sim.world.after(pick.between(0, 40), null, () => resetSession(sim, node, "agent"));
  return goOn;
}

export const messageFaults: readonly Nemesis[] = [
  {
    name: "session-stuck",
    weight: 4,
    lastsMs: [500, 40_000],
    begin: (sim, pick) => {
      const node = pick.node();
      const direction = pick.one(directions);
      return { subject: `${node.name}, ${direction}`, heal: holdSession(sim, node, direction) };
    },
  },
  {
    name: "session-overtaken",
    weight: 4,
    lastsMs: [100, 20_000],
    begin: (sim, pick) => {
      const node = pick.node();
      return { subject: node.name, heal: overtakeSession(sim, node, pick) };
    },
  },
  {
    name: "session-flaps",
    weight: 3,
    lastsMs: [1_000, 30_000],
    begin: (sim, pick) => {
      const node = pick.node();
      let over = false;
      const flap = (): void => {
        if (over) return;
        resetSession(sim, node, pick.chance(0.7) ? "agent" : "control-plane");
        sim.world.after(pick.between(100, 3_000), null, flap);
      };
      flap();
      const heal = (): void => {
        over = true;
      };
      return { subject: node.name, heal };
    },
  },
  {
    // The frame is sent and lost with its session, or delivered late: behind the session that came in its place.
    name: "session-lost-at-frame",
    weight: 6,
    lastsMs: [10_000, 40_000],
    begin: (sim, pick) => {
      const moment = pick.one(moments);
      const releases: (() => void)[] = [];
      let over = false;
      sim.world.listen((event) => {
        if (over || event.kind !== moment || !pick.chance(0.5)) return;
        const node = sim.nodes.find(({ name }) => name === nodeOf(event));
        if (node === undefined) return;
        // Not within the event: whoever sends is not done yet.
        sim.world.after(pick.one([0, pick.between(0, 3)]), null, () => {
          if (over) return;
          if (pick.chance(0.5)) resetSession(sim, node, pick.one(["agent", "control-plane"] as const));
          else {
            const goOn = overtakeSession(sim, node, pick);
            releases.push(goOn);
            sim.world.after(pick.between(50, 8_000), null, () => releases.includes(goOn) && release(goOn));
          }
        });
      });
      const release = (goOn: () => void): void => {
        releases.splice(releases.indexOf(goOn), 1);
        goOn();
      };
      const heal = (): void => {
        over = true;
        for (const goOn of releases.splice(0)) goOn();
      };
      return { subject: `at ${moment}`, heal };
    },
  },
  {
    // What the outbox does after a while, at once and often: a command without a result goes again, also over a later session.
    name: "commands-repeated",
    weight: 4,
    lastsMs: [5_000, 40_000],
    begin: (sim, pick) => {
      const { control } = sim;
      control.repeatAfterMs = () => Array.from({ length: 1 + Math.floor(pick.between(0, 3)) }, () => drawRepeat(pick));
      const heal = (): void => {
        control.repeatAfterMs = () => [];
      };
      return { subject: "control plane", heal };
    },
  },
];

function drawRepeat(pick: Pick): number {
  return pick.chance(0.5) ? pick.between(0, 50) : pick.between(0, 15_000);
}
