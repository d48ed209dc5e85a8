// `npm run bench:failover`: faults on a real cluster under load, measured by the clients' own acknowledgements.
import type { Demo } from "../../demo/demo.ts";
import type { FaultName } from "../../demo/fault-names.ts";
import { type DemoRunOptions, runMain, withDemo } from "../demo-run.ts";
import { comparePeers, tellComparison } from "../versus/compare.ts";
import { AcknowledgementLog } from "./acknowledgements.ts";
import { type BenchOptions, readOptions } from "./options.ts";
import { type RunResult, runOnce } from "./run.ts";
import { formatTable, median } from "./statistics.ts";
import { Surveyor } from "./survey.ts";

interface Summary {
  readonly fault: FaultName;
  readonly runs: number;
  readonly minMs: number | null;
  readonly medianMs: number | null;
  readonly maxMs: number | null;
  readonly gapMedianMs: number | null;
  readonly rejoinMedianMs: number | null;
  readonly rejoinMaxMs: number | null;
  readonly lost: number;
  readonly double: number;
  /** Runs after which no write was acknowledged any more. */
  readonly stuck: number;
}

function summarise(fault: FaultName, results: readonly RunResult[]): Summary {
  const times = results.flatMap(({ ms }) => (ms === null ? [] : [ms]));
  const rejoins = results.flatMap(({ rejoinMs }) => (rejoinMs === null ? [] : [rejoinMs]));
  const whole = (value: number | null) => (value === null || !Number.isFinite(value) ? null : Math.round(value));
  return {
    fault,
    runs: results.length,
    minMs: whole(Math.min(...times)),
    medianMs: whole(median(times)),
    maxMs: whole(Math.max(...times)),
    gapMedianMs: whole(median(results.flatMap(({ gapMs }) => (gapMs === null ? [] : [gapMs])))),
    rejoinMedianMs: whole(median(rejoins)),
    rejoinMaxMs: whole(Math.max(...rejoins)),
    lost: results.reduce((sum, result) => sum + result.lost, 0),
    double: results.reduce((sum, result) => sum + result.double, 0),
    stuck: results.length - times.length,
  };
}

async function measure(
  options: BenchOptions,
  demo: Demo,
  application: AcknowledgementLog,
): Promise<readonly Summary[]> {
  const surveyor = new Surveyor(demo, application, new AcknowledgementLog());
  await surveyor.start();
  const summaries: Summary[] = [];
  try {
    for (const fault of options.faults) {
      const results: RunResult[] = [];
      for (let run = 1; run <= options.runs; run += 1) {
        const result = await runOnce(demo, fault, options.blipMs, application, surveyor);
        results.push(result);
        tellRun(run, result);
      }
      summaries.push(summarise(fault, results));
    }
  } finally {
    surveyor.stop();
  }
  return summaries;
}

function tellRun(run: number, { fault, ms, from, to, rejoinMs, lost, double, stages }: RunResult): void {
  const way = to === null ? `${from} → nobody` : `${from} → ${to}`;
  const rejoin = rejoinMs === null ? "" : `, back after ${Math.round(rejoinMs)} ms`;
  console.log(
    `${fault} ${run}: ${ms === null ? "no write" : `${Math.round(ms)} ms`} (${way}${rejoin}), lost ${lost}, double ${double}`,
  );
  console.log(`    ${stages}`);
}

function tellSummary(summaries: readonly Summary[]): void {
  const head = ["fault", "runs", "min ms", "median ms", "max ms", "gap ms", "back ms", "lost", "double"];
  const rows = summaries.map((each) => [
    each.fault,
    each.runs,
    each.minMs,
    each.medianMs,
    each.maxMs,
    each.gapMedianMs,
    each.rejoinMedianMs,
    each.lost,
    each.double,
  ]);
  console.log(`\n${formatTable([head, ...rows]).join("\n")}`);
  console.log(
    "ms: fault to first acknowledged write. gap: without an acknowledged write. back: heal to streaming standby.",
  );
}

/** One object with the keys of the benchmark; for several faults the worst of each, and all of them under `faults`. */
function toJson(summaries: readonly Summary[]): unknown {
  const [only] = summaries;
  if (summaries.length === 1) return only;
  const worst = (pick: (each: Summary) => number | null) => Math.max(...summaries.map((each) => pick(each) ?? 0));
  return {
    fault: "all",
    runs: summaries.reduce((sum, each) => sum + each.runs, 0),
    minMs: Math.min(...summaries.map((each) => each.minMs ?? Number.POSITIVE_INFINITY)),
    medianMs: worst((each) => each.medianMs),
    maxMs: worst((each) => each.maxMs),
    lost: summaries.reduce((sum, each) => sum + each.lost, 0),
    double: summaries.reduce((sum, each) => sum + each.double, 0),
    faults: summaries,
  };
}

/** Holdfast and others on the same hosts; fails only by what Holdfast did. */
async function compare(options: BenchOptions): Promise<number> {
  const folder = options.folder ?? "/tmp/holdfast-versus";
  const results = await comparePeers(options.versus, options.faults, options.runs, folder);
  console.log(`\n${tellComparison(results).join("\n")}`);
  if (options.json) console.log(JSON.stringify({ results }));
  const own = results.filter(({ product }) => product === "holdfast");
  return own.some(({ lost, double, stuck }) => lost + double + stuck > 0) ? 1 : 0;
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options.versus.length > 0) return compare(options);
  const application = new AcknowledgementLog();
  const onAcknowledged: DemoRunOptions["onAcknowledged"] = (writes) => {
    for (const [id, node, sentMs, atMs] of writes) application.add({ id, node, sentMs, atMs });
  };
  const where = { port: options.port, folder: options.folder, onAcknowledged };
  const summaries = await withDemo(where, (demo) => measure(options, demo, application));
  tellSummary(summaries);
  if (options.json) console.log(JSON.stringify(toJson(summaries)));
  return summaries.some(({ lost, double, stuck }) => lost + double + stuck > 0) ? 1 : 0;
}

await runMain(main);
