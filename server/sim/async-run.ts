import { planAction } from "../core/index.ts";
import { currentPrimary } from "./nemesis/nemesis.ts";
import type { SimNode, Simulation, SimulationOptions } from "./simulation.ts";

/** What an asynchronous run has beside a synchronous one: a person who asks for that mode, and who confirms what is truly down. */

const asksAtMs = 11_000;
const asksAgainMs = 1_000;
const looksEveryMs = 4_000;
/** A machine is looked at this long before somebody says that it is down. */
const certainAfterMs = 9_000;

/** Faults begin when the mode is in force. */
export const asyncWarmUpMs = 18_000;

export function prepareAsync(sim: Simulation, { maxLagBytes }: NonNullable<SimulationOptions["async"]>): void {
  const { world, control, cluster } = sim;
  const ask = (): void => {
    world.promiseSettled = true;
    const durability = { mode: "async", maxLagBytes } as const;
    void control
      .request("operator", { kind: "set-durability", cluster, durability, reason: "simulated" })
      .then((reply) => {
        if (reply?.ok !== true) world.after(asksAgainMs, null, ask);
      });
  };
  world.after(asksAtMs, null, ask);
  watchForTheDead(sim);
}

/** Every few seconds a person looks whether the primary's machine is down for good, and says so if nothing else went on meanwhile. */
function watchForTheDead(sim: Simulation): void {
  const { world } = sim;
  let downSinceMs: number | null = null;
  const look = (): void => {
    world.after(looksEveryMs, null, look);
    const primary = currentPrimary(sim);
    if (primary === undefined || !isDown(primary)) {
      downSinceMs = null;
      return;
    }
    downSinceMs ??= world.nowMs;
    if (world.nowMs - downSinceMs >= certainAfterMs) confirm(sim, primary);
  };
  world.after(looksEveryMs, null, look);
}

function isDown({ host, postgres, agent }: SimNode): boolean {
  return !host.up || (!postgres.process.alive && !agent.process.alive);
}

function confirm(sim: Simulation, primary: SimNode): void {
  const { control, world, cluster } = sim;
  if (!control.process.alive || control.process.frozen || !control.state.durable.clusters.has(cluster)) return;
  const now = { monoMs: world.monoMs(control.host), wallMs: world.wallMs(control.host), entropy: "" };
  const plan = planAction(control.state, { kind: "failover", cluster, target: null }, now);
  if (!plan.runnable || plan.fencing === "agent") return;
  world.promiseSettled = true;
  void control.request("operator", {
    kind: "failover",
    cluster,
    target: null,
    planHash: plan.planHash,
    reason: "simulated",
    confirmDown: primary.name,
    acceptLossBytes: plan.possibleLossBytes,
  });
}
