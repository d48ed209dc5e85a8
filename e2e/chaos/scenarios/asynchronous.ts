import { machineMs } from "../../../demo/clock.ts";
import { cutHost, mendHost } from "../../plain/network.ts";
import type { Scenario } from "../scenario.ts";
import type { Stage } from "../stage.ts";

/** Commits wait for nobody: nobody is promoted before the old primary is certain to take no writes. */

const servedWithinMs = 30_000;
/** `policy.leaseMs` of a new installation. */
const leaseMs = 10_000;
const quietMs = 2_000;
const maxLagBytes = 16 * 2 ** 20;
const hooked = { asynchronous: { maxLagBytes, hooks: true } };
const unhooked = { asynchronous: { maxLagBytes, hooks: false } };

/** What a hook has switched off is switched on again. */
async function bringBack(stage: Stage): Promise<void> {
  await stage.doze(1_000, 4_000);
  stage.heal(() => {
    stage.mend(stage.primary);
    stage.thaw(stage.primary);
    if (!stage.agentRuns(stage.primary)) stage.startAgent(stage.primary);
  });
}

async function strike(stage: Stage, fault: () => void): Promise<void> {
  stage.mark();
  fault();
  await stage.served(servedWithinMs);
  await bringBack(stage);
}

const cutFromPeers = (stage: Stage) => cutHost(stage.primary, [...stage.standbys, stage.control]);

export const asynchronous: readonly Scenario[] = [
  {
    name: "async-crash",
    says: "every process of an asynchronous primary's host is killed; a hook makes sure of it",
    shape: hooked,
    expects: "elsewhere",
    play: (stage) => strike(stage, () => stage.kill(stage.primary)),
  },
  {
    name: "async-pgkill",
    says: "an asynchronous PostgreSQL alone is killed; its agent makes sure of it",
    shape: hooked,
    expects: "anywhere",
    play: (stage) => strike(stage, () => stage.killPostgres(stage.primary)),
  },
  {
    name: "async-freeze",
    says: "every process of an asynchronous primary's host is stopped; a hook ends them, so that continuing them does nothing",
    shape: hooked,
    expects: "elsewhere",
    play: (stage) => strike(stage, () => stage.freeze(stage.primary)),
  },
  {
    name: "async-split",
    says: "an asynchronous primary's clients still reach it, nobody else does; a hook ends it first",
    shape: hooked,
    expects: "elsewhere",
    play: (stage) => strike(stage, () => cutFromPeers(stage)),
  },
  {
    name: "async-switchover",
    says: "an operator switches an asynchronous cluster over: nothing is lost",
    shape: hooked,
    expects: "elsewhere",
    measures: "pause",
    async play(stage) {
      stage.mark();
      await stage.changePrimary("switchover", "--to", stage.anyStandby().name);
    },
  },
  {
    name: "async-self-fenced",
    says: "an asynchronous primary's clients still reach it, nobody else does, and there is no hook: it stops itself as its lease ends, and nobody is promoted",
    shape: unhooked,
    expects: "stays",
    async play(stage) {
      cutFromPeers(stage);
      // The last renewal came before the cut: the lease is over within its length.
      await stage.moment(
        "the primary acknowledges nothing any more",
        () => quietFor(stage, quietMs),
        leaseMs + quietMs,
      );
      await stage.doze(3_000, 6_000);
      stage.heal(() => mendHost(stage.primary));
    },
  },
  {
    name: "async-confirmed",
    says: "an asynchronous primary's host is gone, and there is no hook: an operator types its name",
    shape: unhooked,
    expects: "elsewhere",
    async play(stage) {
      stage.kill(stage.primary);
      await stage.sleep(5_000);
      if (
        stage.ledger.firstSince(
          stage.beganAtMs,
          stage.standbys.map(({ name }) => name),
        ) !== undefined
      )
        throw new Error("somebody was promoted while nobody could know that the old primary is down");
      stage.mark();
      await stage.changePrimary("failover", "--confirm-down", stage.primary.name);
      await stage.served(servedWithinMs);
      await bringBack(stage);
    },
  },
];

function quietFor(stage: Stage, ms: number): boolean {
  const last = stage.ledger.acknowledged.at(-1);
  return last !== undefined && machineMs() - last.atMs > ms;
}
