import type { Simulation } from "../simulation.ts";
import { checkAcknowledgedCopies } from "./acknowledged-copies.ts";
import { checkAcknowledgedWrites } from "./acknowledged-writes.ts";
import { checkActionsEnd } from "./actions-end.ts";
import { checkAnnouncedLoss } from "./announced-loss.ts";
import { checkBudget } from "./budget.ts";
import type { Checker, CreateChecker, Violation } from "./checker.ts";
import { checkCommandOnce } from "./command-once.ts";
import { checkCommittedIntent } from "./committed-intent.ts";
import { checkConvergence } from "./convergence.ts";
import { checkEpochs } from "./epochs.ts";
import { checkFencedBoot } from "./fenced-boot.ts";
import { checkFrozen } from "./frozen.ts";
import { checkLeaseKept } from "./lease-kept.ts";
import { checkModel } from "./model.ts";
import { checkNeedlessFailover } from "./needless-failover.ts";
import { checkOneWriter } from "./one-writer.ts";
import { checkServes } from "./serves.ts";
import { checkTimelines } from "./timelines.ts";
import { checkVisibleWrites } from "./visible-writes.ts";

const everywhere: Readonly<Record<string, CreateChecker>> = {
  timelines: checkTimelines,
  "committed-intent": checkCommittedIntent,
  frozen: checkFrozen,
  budget: checkBudget,
  "command-once": checkCommandOnce,
  epochs: checkEpochs,
  "fenced-boot": checkFencedBoot,
  "needless-failover": checkNeedlessFailover,
  convergence: checkConvergence,
  "actions-end": checkActionsEnd,
  model: checkModel,
};

const synchronous: Readonly<Record<string, CreateChecker>> = {
  "acknowledged-writes": checkAcknowledgedWrites,
  "acknowledged-copies": checkAcknowledgedCopies,
  "visible-writes": checkVisibleWrites,
  serves: checkServes,
  ...everywhere,
};

const asynchronous: Readonly<Record<string, CreateChecker>> = {
  "one-writer": checkOneWriter,
  "announced-loss": checkAnnouncedLoss,
  "lease-kept": checkLeaseKept,
  ...everywhere,
};

/** A checker that fails says so a few times at most: the first breach is the one to read. */
const reportsPerChecker = 3;

/** Attaches every checker to a run. */
export function attachCheckers(sim: Simulation, violations: Violation[], isAsync = false): Checker[] {
  const { world } = sim;
  const checkers = isAsync ? asynchronous : synchronous;
  const attached: Checker[] = Object.entries(checkers).map(([name, create]) => {
    let reports = 0;
    const violate = (text: string): void => {
      if (reports++ < reportsPerChecker) violations.push({ checker: name, atMs: Math.round(world.nowMs), text });
    };
    return { name, ...create(sim, violate) };
  });
  world.listen((event, nowMs) => {
    for (const checker of attached) checker.observe(event, nowMs);
  });
  const sampling = attached.filter((checker) => checker.sample !== undefined);
  const sample = (): void => {
    for (const checker of sampling) checker.sample?.(world.nowMs);
    world.after(100, null, sample);
  };
  sample();
  return attached;
}
