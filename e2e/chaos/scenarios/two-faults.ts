import { cutHost, mendHost } from "../../plain/network.ts";
import type { Scenario } from "../scenario.ts";

/** Something else happens while, or just before, the primary is lost. */

const longMs = 45_000;

export const twoFaults: readonly Scenario[] = [
  {
    name: "standby-then-primary",
    says: "one of four standbys is lost, and once commits no longer count on it the primary, too",
    shape: { members: 5 },
    expects: "elsewhere",
    async play(stage) {
      const standby = stage.anyStandby();
      stage.kill(standby);
      // Until then it may be the only one that holds an acknowledged write, and nobody may take over without it.
      await stage.moment("the lost standby is not counted any more", () => !stage.counts(standby), 30_000);
      await stage.doze(0, 5_000);
      stage.mark();
      stage.kill(stage.primary);
      await stage.served(longMs);
      await stage.doze(500, 3_000);
      stage.heal(() => {
        stage.startAgent(standby);
        stage.startAgent(stage.primary);
      });
    },
  },
  {
    name: "standby-then-primary-of-three",
    says: "one of two standbys is lost, then the primary: nobody may take over until one of them is back",
    expects: "either",
    async play(stage) {
      const standby = stage.anyStandby();
      stage.kill(standby);
      await stage.doze(100, 13_000);
      stage.kill(stage.primary);
      await stage.doze(2_000, 6_000);
      stage.mark();
      stage.startAgent(standby);
      await stage.served(longMs, stage.installation.members);
      stage.heal(() => stage.startAgent(stage.primary));
    },
  },
  {
    name: "second-fault",
    says: "within five seconds of the recovery the new primary is lost, too",
    expects: "anywhere",
    async play(stage) {
      stage.kill(stage.primary);
      await stage.served(longMs);
      const second = stage.ledger.firstSince(
        stage.markedAtMs,
        stage.standbys.map((host) => host.name),
      );
      stage.startAgent(stage.primary);
      await stage.whole(60_000);
      await stage.doze(0, 5_000);
      const heir = stage.standbys.find((host) => host.name === second?.node);
      if (heir === undefined) return;
      stage.mark();
      stage.kill(heir);
      await stage.served(
        longMs,
        stage.installation.members.filter((host) => host !== heir),
      );
      await stage.doze(500, 3_000);
      stage.heal(() => stage.startAgent(heir));
    },
  },
  {
    name: "promotion-agent-killed",
    says: "the agent of the chosen standby is killed while it promotes",
    expects: "elsewhere",
    async play(stage) {
      stage.mark();
      stage.kill(stage.primary);
      await stage.moment("a promotion runs", () => stage.promoting() !== undefined, 20_000);
      const heir = stage.promoting() ?? stage.anyStandby();
      stage.killAgent(heir);
      await stage.doze(200, 2_000);
      stage.startAgent(heir);
      await stage.served(longMs);
      await stage.doze(500, 3_000);
      stage.heal(() => stage.startAgent(stage.primary));
    },
  },
  {
    name: "old-primary-returns",
    says: "the primary's host freezes, and wakes up in the middle of the failover",
    expects: "elsewhere",
    async play(stage) {
      stage.mark();
      stage.freeze(stage.primary);
      await stage.moment("a standby has promised the next epoch", () => stage.sealing(), 20_000);
      await stage.doze(0, 150);
      stage.heal(() => stage.thaw(stage.primary));
      await stage.served(longMs);
    },
  },
  {
    name: "old-primary-reached-again",
    says: "the primary's host is cut off, and reached again in the middle of the failover",
    expects: "elsewhere",
    async play(stage) {
      stage.mark();
      cutHost(stage.primary);
      await stage.moment("a standby has promised the next epoch", () => stage.sealing(), 20_000);
      await stage.doze(0, 150);
      stage.heal(() => mendHost(stage.primary));
      await stage.served(longMs);
    },
  },
  {
    name: "crash-in-switchover",
    says: "an operator switches over; the primary's host is killed as its writes stop",
    expects: "elsewhere",
    async play(stage) {
      const asked = stage.switchOver(stage.anyStandby());
      const before = stage.ledger.errors.length;
      await stage.moment("writes stop", () => stage.ledger.errors.length > before, 20_000);
      await stage.doze(0, 250);
      stage.mark();
      stage.kill(stage.primary);
      await stage.served(longMs);
      await asked;
      await stage.doze(500, 2_000);
      stage.heal(() => stage.startAgent(stage.primary));
    },
  },
];
