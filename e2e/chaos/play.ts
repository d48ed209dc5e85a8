import { machineMs } from "../../demo/clock.ts";
import { readNumbers } from "../plain/cluster.ts";
import type { Installation } from "../plain/installation.ts";
import type { Acknowledgement, Ledger } from "../plain/ledger.ts";
import { readStatus } from "../plain/status.ts";
import type { RunRecord } from "./results.ts";
import type { Scenario } from "./scenario.ts";
import { Stage } from "./stage.ts";
import { type Whole, waitForWhole } from "./whole.ts";

const wholeWithinMs = 120_000;
/** The detectors know the cluster before something happens to it. */
const calmMs = 2_000;
/** What the witness has printed until now is still to be read. */
const readMs = 150;
/** WAL of one row of the witness, at the least: the row, its entry in the index, the commit. */
const rowBytes = 150;
/** How long a deposed primary is watched after everything is whole again. */
const watchMs = 1_000;

/** One run of a scenario, from a whole cluster to a whole cluster; null when it is not whole to begin with. */
export async function playScenario(
  installation: Installation,
  ledger: Ledger,
  scenario: Scenario,
): Promise<(RunRecord & { readonly broken: boolean }) | null> {
  const before = await waitForWhole(installation, wholeWithinMs);
  if (before === null) return null;
  await sleep(calmMs);
  const stage = new Stage(installation, ledger, before.primary, before.epoch);
  const acknowledgedBefore = ledger.acknowledged.length;
  const failure = await scenario.play(stage).then(
    () => null,
    (error: Error) => error.message,
  );
  if (failure !== null) await undoEverything(stage);
  const after = await waitForWhole(installation, wholeWithinMs);
  const wholeAtMs = machineMs();
  await sleep(watchMs + readMs);
  const names = (hosts: Stage["standbys"]) => hosts.map((host) => host.name);
  const wanted = scenario.expects === "elsewhere" ? names(stage.standbys) : names(installation.members);
  const first = scenario.expects === "stays" ? undefined : ledger.firstSince(stage.markedAtMs, wanted);
  const acknowledged = ledger.acknowledged.length - acknowledgedBefore;
  const { lost, double, announced } = after === null ? { lost: 0, double: 0 } : judge(stage, before, after);
  const why = failure ?? explain(scenario, before, after, first !== undefined);
  return {
    scenario: scenario.name,
    at: new Date().toISOString(),
    ok: why === null && lost + double === 0,
    why,
    from: before.primary.name,
    to: after?.primary.name ?? null,
    ms: measure(scenario, stage, first, wholeAtMs),
    gapMs: Math.round(ledger.longestGap(stage.beganAtMs, wholeAtMs)),
    rejoinedMs: stage.healedAtMs === null || after === null ? null : Math.round(wholeAtMs - stage.healedAtMs),
    acknowledged,
    lost,
    ...(announced === undefined ? {} : { announced }),
    double,
    broken: after === null,
  };
}

/**
 * Mark → first acknowledged write. Where the old primary's own writes count, the last of them may come after the mark: there it is the end of
 * the pause that counts.
 */
function measure(
  scenario: Scenario,
  stage: Stage,
  first: Acknowledgement | undefined,
  wholeAtMs: number,
): number | null {
  if (first === undefined || scenario.expects === "either") return null;
  if (scenario.measures === "pause") return Math.round(stage.ledger.longestGap(stage.markedAtMs, wholeAtMs));
  if (scenario.expects === "elsewhere") return Math.round(first.atMs - stage.markedAtMs);
  return Math.round(stage.ledger.longestPause(stage.markedAtMs, wholeAtMs).endedMs - stage.markedAtMs);
}

/** What was not as expected; null when everything was. */
function explain(scenario: Scenario, before: Whole, after: Whole | null, served: boolean): string | null {
  if (after === null) return `the cluster was not whole ${wholeWithinMs / 1_000} s after the last heal`;
  const moved = after.primary !== before.primary || after.epoch !== before.epoch;
  if (scenario.expects === "stays") return moved ? `a needless change: epoch ${before.epoch} → ${after.epoch}` : null;
  if (scenario.expects === "either") return null;
  return served ? null : "no write was acknowledged elsewhere";
}

/**
 * Acknowledged rows that the primary of now does not hold. Each is counted once. In an asynchronous cluster they are lost when they can't
 * have been in the bytes that were announced.
 */
function judge({ installation, ledger, beganAtMs }: Stage, before: Whole, after: Whole): Judgement {
  // What was acknowledged before the rows are read has to be among them.
  const entries = ledger.acknowledged.length;
  const present = readNumbers(installation, after.primary.name);
  const { lost, double, missing } = ledger.judge(present, entries, beganAtMs);
  ledger.forget(new Set(missing));
  if (installation.options.asynchronous == null) return { lost, double };
  const bytes = announcedBytes(installation, before);
  const expected = Math.min(lost, Math.floor(bytes / rowBytes));
  return { lost: lost - expected, double, announced: { bytes, lost: expected } };
}

type Judgement = Pick<RunRecord, "lost" | "double" | "announced">;

/** What the epochs since then say that they may have cost; unknown counts as nothing. */
function announcedBytes(installation: Installation, before: Whole): number {
  const epochs = readStatus(installation)?.epochs.filter(({ epoch }) => epoch > before.epoch) ?? [];
  return epochs.reduce((sum, { possibleLoss }) => sum + (possibleLoss?.atMostBytes ?? 0), 0);
}

/** A scenario that failed in the middle leaves hosts cut, stopped or dead. */
async function undoEverything(stage: Stage): Promise<void> {
  for (const host of [...stage.installation.members, stage.control]) {
    stage.mend(host);
    stage.thaw(host);
  }
  if (!stage.serverRuns()) await stage.startServer().catch(() => undefined);
  for (const host of stage.installation.members) if (!stage.agentRuns(host)) stage.startAgent(host);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
