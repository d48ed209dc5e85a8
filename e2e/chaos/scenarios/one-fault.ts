import { rmSync } from "node:fs";
import { join } from "node:path";
import { listServerProcesses } from "../../plain/faults.ts";
import { cutHost, mendHost, signalAll } from "../../plain/network.ts";
import { run } from "../../plain/shell.ts";
import type { Scenario } from "../scenario.ts";
import type { Stage } from "../stage.ts";

/** One thing happens to the primary's host. */

const servedWithinMs = 30_000;

/** Strikes, waits until somebody else serves, lets the old primary lie for a while, and undoes it. */
async function strikeAndHeal(stage: Stage, strike: () => void, undo: () => void, liesMs: number): Promise<void> {
  stage.mark();
  strike();
  await stage.served(servedWithinMs);
  await stage.doze(liesMs / 2, liesMs);
  stage.heal(undo);
}

export const oneFault: readonly Scenario[] = [
  {
    name: "crash",
    says: "every process of the primary's host is killed",
    expects: "elsewhere",
    play: (stage) =>
      strikeAndHeal(
        stage,
        () => stage.kill(stage.primary),
        () => stage.startAgent(stage.primary),
        4_000,
      ),
  },
  {
    name: "pgkill",
    says: "PostgreSQL alone is killed; its agent sees it",
    expects: "anywhere",
    play: (stage) =>
      strikeAndHeal(
        stage,
        () => stage.killPostgres(stage.primary),
        () => undefined,
        1_000,
      ),
  },
  {
    name: "power",
    says: "the host goes without a word, and comes back",
    expects: "elsewhere",
    play: (stage) =>
      strikeAndHeal(
        stage,
        () => {
          cutHost(stage.primary);
          stage.kill(stage.primary);
        },
        () => {
          mendHost(stage.primary);
          stage.startAgent(stage.primary);
        },
        5_000,
      ),
  },
  {
    name: "freeze",
    says: "every process of the primary's host is stopped, then continued",
    expects: "elsewhere",
    play: (stage) =>
      strikeAndHeal(
        stage,
        () => stage.freeze(stage.primary),
        () => stage.thaw(stage.primary),
        8_000,
      ),
  },
  {
    name: "partition",
    says: "the primary's host is cut off from everybody",
    expects: "elsewhere",
    play: (stage) =>
      strikeAndHeal(
        stage,
        () => cutHost(stage.primary),
        () => mendHost(stage.primary),
        8_000,
      ),
  },
  {
    name: "split",
    says: "the primary's host is cut off from members and control plane, while its clients still reach it",
    expects: "elsewhere",
    play: (stage) =>
      strikeAndHeal(
        stage,
        () => cutHost(stage.primary, [...stage.standbys, stage.control]),
        () => mendHost(stage.primary),
        8_000,
      ),
  },
  {
    name: "pgfreeze",
    says: "PostgreSQL is stopped under a healthy agent",
    expects: "elsewhere",
    play: (stage) =>
      strikeAndHeal(
        stage,
        () => signalAll(listServerProcesses(stage.primary), "SIGSTOP"),
        () => signalAll(listServerProcesses(stage.primary), "SIGCONT"),
        6_000,
      ),
  },
  {
    name: "disk-full",
    says: "the primary's disk fills up: it can be read and not written",
    shape: { diskMiB: 900 },
    expects: "elsewhere",
    play: (stage) => {
      const fill = join(stage.installation.folderOf(stage.primary), "fill");
      return strikeAndHeal(
        stage,
        () => run(stage.primary, ["dd", "if=/dev/zero", `of=${fill}`, "bs=1M"], { mayFail: true }),
        () => rmSync(fill, { force: true }),
        3_000,
      );
    },
  },
];
