import { signalAll } from "../../plain/network.ts";
import type { Scenario } from "../scenario.ts";
import type { Stage } from "../stage.ts";

/** The control plane or its database is in trouble, and what people do with it. */

const longMs = 60_000;

/** Writes go on elsewhere first, then the old primary's host returns. */
async function bringBackOnceServed(stage: Stage): Promise<void> {
  await stage.served(longMs);
  await stage.doze(500, 2_000);
  stage.heal(() => stage.startAgent(stage.primary));
}

export const controlPlane: readonly Scenario[] = [
  {
    name: "ctl",
    says: "the control plane is dead for 45 seconds",
    expects: "stays",
    async play(stage) {
      stage.kill(stage.control);
      await stage.sleep(45_000);
      await stage.startServer();
    },
  },
  {
    name: "ctl-pending",
    says: "the control plane is dead for 30 seconds, and the primary's host dies meanwhile; counted from its return",
    expects: "elsewhere",
    async play(stage) {
      stage.kill(stage.control);
      await stage.doze(15_000, 25_000);
      stage.kill(stage.primary);
      await stage.sleep(5_000);
      const ready = stage.startServer();
      // The last moment at which it did not answer yet: its return is not later than what is counted from.
      while (!stage.serverIsReady()) {
        stage.mark();
        await stage.sleep(20);
      }
      await ready;
      await bringBackOnceServed(stage);
    },
  },
  {
    name: "ctl-killed-in-failover",
    says: "the control plane is killed when a standby has promised the next epoch, and started again at once",
    expects: "elsewhere",
    async play(stage) {
      stage.mark();
      stage.kill(stage.primary);
      await stage.moment("a standby has promised the next epoch", () => stage.sealing(), 20_000);
      await stage.doze(0, 120);
      stage.kill(stage.control);
      await stage.startServer();
      await bringBackOnceServed(stage);
    },
  },
  {
    name: "store-stopped-in-failover",
    says: "the control plane's database stops answering as the primary is lost, for three to eight seconds",
    expects: "elsewhere",
    async play(stage) {
      const store = stage.listStoreProcesses();
      stage.mark();
      stage.kill(stage.primary);
      await stage.doze(0, 60);
      signalAll(store, "SIGSTOP");
      await stage.doze(3_000, 8_000);
      signalAll(store, "SIGCONT");
      await bringBackOnceServed(stage);
    },
  },
  {
    name: "store-killed-in-failover",
    says: "the control plane's database is killed as the primary is lost",
    expects: "elsewhere",
    async play(stage) {
      const store = stage.listStoreProcesses();
      stage.mark();
      stage.kill(stage.primary);
      await stage.doze(0, 60);
      signalAll(store, "SIGKILL");
      await stage.sleep(500);
      if (!stage.serverRuns()) await stage.startServer();
      await bringBackOnceServed(stage);
    },
  },
  {
    name: "switchover",
    says: "an operator switches over",
    expects: "elsewhere",
    measures: "pause",
    async play(stage) {
      stage.mark();
      await stage.changePrimary("switchover", "--to", stage.anyStandby().name);
    },
  },
  {
    name: "two-operators",
    says: "two operators switch over to different standbys at once: one of them is refused, or comes second",
    expects: "elsewhere",
    measures: "pause",
    async play(stage) {
      stage.mark();
      const both = await Promise.all(stage.standbys.slice(0, 2).map((host) => stage.switchOver(host)));
      if (both.every(({ status }) => status !== 0)) throw new Error(`both were refused: ${both[0]?.output}`);
    },
  },
];
