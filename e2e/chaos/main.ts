// `npm run chaos`: faults on real clusters in network namespaces; a writer pinned to each node is the witness. Needs root on Linux, with
// iproute2, iptables, curl and the distribution's PostgreSQL.

import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { runMain } from "../../bench/demo-run.ts";
import { untilSignalled } from "../../bench/signals.ts";
import { ensureEmbeddedBinaries } from "../../server/store/index.ts";
import { createCluster, postgresUser } from "../plain/cluster.ts";
import { Installation } from "../plain/installation.ts";
import type { Ledger } from "../plain/ledger.ts";
import { createNetwork, describeLayout, hostsOf, listProcesses, removeNetwork, signalAll } from "../plain/network.ts";
import { type ChaosOptions, readOptions } from "./options.ts";
import { playScenario } from "./play.ts";
import { Results, type RunRecord } from "./results.ts";
import { nameShape, type Scenario, type Shape, usualShape } from "./scenario.ts";
import { summarise, tellSummary } from "./summary.ts";

const distributionBinaries = "/usr/lib/postgresql/15/bin";
const namespacePrefix = "hfc";
/** A cluster that does not come up on a busy machine is built anew, so often at most. */
const mostBuilds = 3;

interface Trial {
  readonly installation: Installation;
  readonly ledger: Ledger;
}

async function buildTrial(options: ChaosOptions, shape: Shape): Promise<Trial> {
  const layout = describeLayout(namespacePrefix, shape.members);
  const binDir = options.postgres === "embedded" ? (await ensureEmbeddedBinaries()).binDir : distributionBinaries;
  rmSync(options.folder, { recursive: true, force: true });
  createNetwork(layout);
  const installation = new Installation({
    layout,
    folder: options.folder,
    root: options.root,
    binDir,
    agentUser: "root",
    tls: false,
    diskMiB: shape.diskMiB,
    manager: "agent",
    postgresUser: postgresUser(),
    policy: { failoverBudget: 10_000, synchronousStandbys: shape.k },
    asynchronous: shape.asynchronous,
  });
  installation.makeFolders();
  await installation.startServer();
  return { installation, ledger: await createCluster(installation) };
}

function tearDown(installation: Installation): void {
  const { layout } = installation.options;
  for (const host of hostsOf(layout)) signalAll(listProcesses(host), "SIGKILL");
  removeNetwork(layout);
  installation.releaseDisks();
}

/** Of a call that was ended in the middle: this one, or an earlier one that could not clear up. */
function removeLeftovers(folder: string): void {
  const layout = describeLayout(namespacePrefix, 5);
  for (const host of hostsOf(layout)) signalAll(listProcesses(host), "SIGKILL");
  removeNetwork(layout);
  for (const host of layout.members) spawnSync("umount", ["-l", join(folder, host.name)]);
}

/** Every scenario of one shape, round by round, until each has its runs. A cluster that does not come right is replaced by a new one. */
async function playShape(
  options: ChaosOptions,
  shape: Shape,
  list: readonly Scenario[],
  results: Results,
): Promise<void> {
  const missing = () => list.filter(({ name }) => results.count(name) < options.runs);
  let built = 0;
  while (missing().length > 0) {
    if (++built > mostBuilds)
      throw new Error(`${mostBuilds} new clusters in a row did not become whole: is the machine overloaded?`);
    console.log(
      `\n${nameShape(shape)}: a new cluster of ${options.postgres === "embedded" ? "embedded" : "the distribution's"} PostgreSQL`,
    );
    const { installation, ledger } = await buildTrial(options, shape);
    let broken = false;
    try {
      while (!broken && missing().length > 0) {
        const fewest = Math.min(...missing().map(({ name }) => results.count(name)));
        for (const scenario of missing().filter(({ name }) => results.count(name) === fewest)) {
          const played = await playScenario(installation, ledger, scenario);
          broken = played === null || played.broken;
          if (played !== null) {
            const { broken: _, ...record } = played;
            results.add(record);
            tellRun(record);
            built = 0;
          }
          if (broken) break;
        }
      }
      if (!broken) console.log(installation.holdfast("audit", "verify"));
    } finally {
      if (!options.keep) tearDown(installation);
    }
  }
}

function tellRun(record: RunRecord): void {
  const way = record.to === record.from ? `${record.from} stays` : `${record.from} → ${record.to ?? "nobody"}`;
  const time = record.ms === null ? "" : `, ${record.ms} ms`;
  const back = record.rejoinedMs === null ? "" : `, back after ${record.rejoinedMs} ms`;
  const verdict = record.ok ? "ok" : `NOT OK (${record.why ?? "writes were lost"})`;
  const announced =
    record.announced === undefined
      ? ""
      : ` (${record.announced.lost} more as announced: ${record.announced.bytes} bytes)`;
  console.log(
    `${record.scenario}: ${way}${time}, longest gap ${record.gapMs} ms${back}; ${record.acknowledged} acknowledged, lost ${record.lost}${announced}, double ${record.double}; ${verdict}`,
  );
}

function checkMachine(): void {
  if (process.getuid?.() !== 0) throw new Error("npm run chaos makes network namespaces: run it as root.");
  for (const program of ["ip", "iptables", "curl", "psql"]) {
    if (spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0) {
      throw new Error(`npm run chaos needs ${program}: install iproute2, iptables, curl and postgresql-15.`);
    }
  }
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === null) return 0;
  checkMachine();
  removeLeftovers(options.folder);
  const results = new Results(options.results);
  const shapes = new Map<string, { readonly shape: Shape; readonly list: Scenario[] }>();
  for (const scenario of options.scenarios) {
    const shape = { ...usualShape, ...scenario.shape };
    const group = shapes.get(nameShape(shape)) ?? { shape, list: [] };
    group.list.push(scenario);
    shapes.set(nameShape(shape), group);
  }
  const ending = untilSignalled();
  try {
    for (const { shape, list } of shapes.values())
      await Promise.race([playShape(options, shape, list, results), ending]);
  } catch (error) {
    if (!options.keep) removeLeftovers(options.folder);
    throw error;
  }
  const names = new Set(options.scenarios.map(({ name }) => name));
  const summary = summarise(results.records.filter((record) => names.has(record.scenario)));
  console.log(`\n${tellSummary(summary).join("\n")}`);
  if (options.json) console.log(JSON.stringify(summary));
  return summary.ok === summary.runs ? 0 : 1;
}

await runMain(main);
