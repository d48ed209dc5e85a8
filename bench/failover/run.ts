import { machineMs } from "../../demo/clock.ts";
import type { Demo } from "../../demo/demo.ts";
import type { FaultName } from "../../demo/fault-names.ts";
import { pollUntil } from "../../demo/poll.ts";
import type { ActionView } from "../../server/protocol/index.ts";
import type { AcknowledgementLog } from "./acknowledgements.ts";
import { describeStages } from "./stages.ts";
import type { Survey, Surveyor } from "./survey.ts";

export interface RunResult {
  readonly fault: FaultName;
  /** Fault → first acknowledged write (on another node; for `pgkill`, `blip` and `ctl` on any). Null: none came. */
  readonly ms: number | null;
  /** Longest time without an acknowledged write around the fault. */
  readonly gapMs: number | null;
  readonly from: string;
  readonly to: string | null;
  /** Undoing the fault → the old primary streams as a standby and counts. */
  readonly rejoinMs: number | null;
  readonly lost: number;
  readonly double: number;
  readonly stages: string;
}

/** Faults after which the same node may go on. */
const anyNode: ReadonlySet<FaultName> = new Set(["pgkill", "blip", "ctl"]);
const giveUpMs = 60_000;
const rejoinGiveUpMs = 120_000;
/** How long a deposed primary is watched before it is healed, and again afterwards. */
const watchMs = 2_500;
const settleMs = 1_500;
/** The last write before the fault was acknowledged well within this time. */
const gapLookBackMs = 100;

/** One fault from a whole cluster to a whole cluster. */
export async function runOnce(
  demo: Demo,
  fault: FaultName,
  blipMs: number,
  application: AcknowledgementLog,
  surveyor: Surveyor,
): Promise<RunResult> {
  await demo.waitUntilWhole(rejoinGiveUpMs);
  await sleep(settleMs);
  const from = await pollUntil("A primary", 10_000, () => demo.findPrimary());
  const actionsBefore = new Set((await demo.actions()).map((action) => action.id));
  const outcome = await demo.faults.cause({ fault, ...(fault === "blip" ? { ms: blipMs } : {}) });
  const first = await application.find(
    (entry) => entry.sentMs >= outcome.atMs && (anyNode.has(fault) || entry.node !== from),
    giveUpMs,
  );
  await sleep(watchMs);
  const healMs = machineMs();
  await demo.faults.cause({ fault: "heal" });
  const rejoinMs = await waitForRejoin(demo, from, first?.node ?? null, healMs, surveyor);
  await sleep(watchMs);
  const survey: Survey = await surveyor.survey(from, first?.node ?? from, first?.atMs ?? null);
  return {
    fault,
    ms: first === null ? null : first.atMs - outcome.atMs,
    gapMs: first === null ? null : application.longestGap(outcome.atMs - gapLookBackMs, first.atMs),
    from,
    to: first?.node ?? null,
    rejoinMs,
    ...survey,
    stages: describeStages(await newestChange(demo, actionsBefore)),
  };
}

/** Null when the primary stayed where it was: then nobody had to come back. */
async function waitForRejoin(
  demo: Demo,
  from: string,
  to: string | null,
  healMs: number,
  surveyor: Surveyor,
): Promise<number | null> {
  if (to === null) return null;
  if (to !== from) {
    await pollUntil(`${from}'s return as a standby`, rejoinGiveUpMs, async () => {
      const primary = await demo.findPrimary();
      return primary !== null && (await surveyor.streamsFrom(primary)).has(from) ? true : null;
    });
  }
  const tookMs = machineMs() - healMs;
  await demo.waitUntilWhole(rejoinGiveUpMs);
  return to === from ? null : tookMs;
}

async function newestChange(demo: Demo, before: ReadonlySet<string>): Promise<ActionView | null> {
  const actions = await demo.actions();
  const changes = actions.filter(
    ({ id, kind }) => !before.has(id) && ["failover", "switchover", "restart"].includes(kind),
  );
  return changes.at(-1) ?? null;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
