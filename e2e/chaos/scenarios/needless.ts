import { type ChildProcess, spawn } from "node:child_process";
import { cutHost, mendHost } from "../../plain/network.ts";
import type { Scenario } from "../scenario.ts";

/** Nothing that a failover would repair. */

/** Loops on every core, on the primary's host. */
function burn(namespace: string, count: number): readonly ChildProcess[] {
  return Array.from({ length: count }, () =>
    spawn("ip", ["netns", "exec", namespace, process.execPath, "-e", "for (;;) ;"], { stdio: "ignore" }),
  );
}

export const needless: readonly Scenario[] = [
  {
    name: "blip",
    says: "the primary's host is cut off for 0.2 to 0.9 seconds",
    expects: "stays",
    async play(stage) {
      stage.mark();
      cutHost(stage.primary);
      await stage.doze(200, 900);
      mendHost(stage.primary);
      await stage.sleep(3_000);
    },
  },
  {
    name: "longer-blip",
    says: "the primary's host is cut off for 1 to 4 seconds",
    expects: "either",
    async play(stage) {
      stage.mark();
      cutHost(stage.primary);
      await stage.doze(1_000, 4_000);
      stage.heal(() => mendHost(stage.primary));
      await stage.sleep(2_000);
    },
  },
  {
    name: "dead-standby",
    says: "a standby's host is killed, and comes back",
    expects: "stays",
    async play(stage) {
      const standby = stage.anyStandby();
      stage.mark();
      stage.kill(standby);
      await stage.doze(3_000, 12_000);
      stage.heal(() => stage.startAgent(standby));
    },
  },
  {
    name: "dead-agent",
    says: "the primary's agent alone is killed, and comes back",
    expects: "stays",
    async play(stage) {
      stage.mark();
      stage.killAgent(stage.primary);
      await stage.doze(3_000, 8_000);
      stage.heal(() => stage.startAgent(stage.primary));
    },
  },
  {
    name: "ctl-frozen",
    says: "the control plane is stopped for 3 to 10 seconds, then continued",
    expects: "stays",
    async play(stage) {
      stage.mark();
      stage.freeze(stage.control);
      await stage.doze(3_000, 10_000);
      stage.thaw(stage.control);
      await stage.sleep(3_000);
    },
  },
  {
    name: "ctl-cut-off",
    says: "the control plane is cut off from everybody for 3 to 10 seconds",
    expects: "stays",
    async play(stage) {
      stage.mark();
      cutHost(stage.control);
      await stage.doze(3_000, 10_000);
      mendHost(stage.control);
      await stage.sleep(3_000);
    },
  },
  {
    name: "loaded-machine",
    says: "four busy loops on two cores for ten seconds",
    expects: "stays",
    async play(stage) {
      stage.mark();
      const loops = burn(stage.primary.namespace, 4);
      await stage.sleep(10_000);
      for (const loop of loops) loop.kill("SIGKILL");
    },
  },
];
