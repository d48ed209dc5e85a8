import { cutHost, cutOneWay, mendHost } from "../../plain/network.ts";
import type { Scenario } from "../scenario.ts";

/** The network is neither whole nor cut. */

const longMs = 45_000;

export const links: readonly Scenario[] = [
  {
    name: "one-way-out",
    says: "the primary's host can receive and not send",
    expects: "elsewhere",
    async play(stage) {
      stage.mark();
      cutOneWay(stage.primary, "sends");
      await stage.served(longMs);
      await stage.doze(2_000, 6_000);
      stage.heal(() => mendHost(stage.primary));
    },
  },
  {
    name: "one-way-in",
    says: "the primary's host can send and not receive",
    expects: "elsewhere",
    async play(stage) {
      stage.mark();
      cutOneWay(stage.primary, "receives");
      await stage.served(longMs);
      await stage.doze(2_000, 6_000);
      stage.heal(() => mendHost(stage.primary));
    },
  },
  {
    name: "flapping",
    says: "the primary's link comes and goes, 0.1 to 2 seconds each, for 15 seconds",
    expects: "either",
    async play(stage) {
      stage.mark();
      const end = performance.now() + 15_000;
      while (performance.now() < end) {
        cutHost(stage.primary);
        await stage.doze(100, 2_000);
        mendHost(stage.primary);
        await stage.doze(100, 2_000);
      }
      stage.heal(() => mendHost(stage.primary));
    },
  },
  {
    name: "bridge",
    says: "the primary and one standby don't reach each other; everybody else reaches both",
    expects: "either",
    async play(stage) {
      stage.mark();
      const standby = stage.anyStandby();
      cutHost(standby, [stage.primary]);
      await stage.doze(4_000, 9_000);
      stage.heal(() => mendHost(standby));
    },
  },
];
