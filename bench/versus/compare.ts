import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { machineMs } from "../../demo/clock.ts";
import { makeApplication, makeTable, postgresUser, startWitnessOf } from "../../e2e/plain/cluster.ts";
import type { Ledger } from "../../e2e/plain/ledger.ts";
import {
  createNetwork,
  describeLayout,
  type Host,
  hostsOf,
  type Layout,
  listProcesses,
  removeNetwork,
  signalAll,
} from "../../e2e/plain/network.ts";
import { waitUntil } from "../../e2e/plain/shell.ts";
import { formatTable, median } from "../failover/statistics.ts";
import { untilSignalled } from "../signals.ts";
import { peerFaults } from "./faults.ts";
import { Holdfast } from "./holdfast.ts";
import type { PeerName } from "./names.ts";
import { Patroni } from "./patroni.ts";
import type { Peer } from "./peer.ts";
import { Repmgr } from "./repmgr.ts";

/** Other products under the same writer, the same faults, on the same hosts, in the same run. */

export interface PeerResult {
  readonly product: string;
  readonly version: string;
  readonly fault: string;
  readonly runs: number;
  /** Fault → first write acknowledged (on another node; after a pgkill on any). Null: none came in time. */
  readonly medianMs: number | null;
  readonly maxMs: number | null;
  readonly lost: number;
  readonly double: number;
  /** Runs after which nothing was acknowledged within the limit. */
  readonly stuck: number;
}

const limitMs = 120_000;
const watchMs = 3_000;
const prefix = "hfv";

/** @throws Error when this machine can't make network namespaces */
export async function comparePeers(
  names: readonly PeerName[],
  faults: readonly string[],
  runs: number,
  folder: string,
): Promise<readonly PeerResult[]> {
  const layout = describeLayout(prefix, 3);
  const user = postgresUser();
  const make = { patroni: Patroni, repmgr: Repmgr } as const;
  const peers: Peer[] = [
    new Holdfast(layout, folder, user),
    ...names.map((name) => new make[name](layout, folder, user)),
  ];
  const results: PeerResult[] = [];
  const ending = untilSignalled();
  for (const peer of peers) {
    const version = peer.version();
    if ("missing" in version) {
      console.log(`${peer.name}: skipped, ${version.missing}`);
      continue;
    }
    console.log(`${peer.name} (${version.text}): ${peer.settings}`);
    for (const fault of faults.filter((name) => name in peerFaults)) {
      const figures = await Promise.race([measureFault(peer, layout, folder, fault, runs), ending]).catch((error) => {
        clear(layout, folder);
        throw error;
      });
      results.push({ product: peer.name, version: version.text, ...figures });
    }
  }
  return results;
}

type Figures = Omit<PeerResult, "product" | "version">;

/** A new cluster for each fault: what one fault leaves behind is not held against the next. */
async function measureFault(peer: Peer, layout: Layout, folder: string, name: string, runs: number): Promise<Figures> {
  const fault = peerFaults[name];
  if (fault === undefined) throw new Error(`there is no fault ${name}`);
  const times: number[] = [];
  let lost = 0;
  let double = 0;
  let ledger: Ledger | null = null;
  try {
    for (let run = 0; run < runs; run++) {
      if (ledger === null || !(await waitUntil(() => findWhole(peer, layout) !== null, limitMs, 250))) {
        clear(layout, folder);
        ledger = await build(peer, layout, folder);
      }
      await sleep(2_000);
      const primary = findWhole(peer, layout);
      if (primary === null) continue;
      const others = layout.members.filter((host) => host !== primary).map((host) => host.name);
      const markMs = machineMs();
      fault.strike(primary);
      const served = await waitUntil(
        () =>
          ledger?.firstSince(markMs, others) !== undefined || (name === "pgkill" && resumed(ledger as Ledger, markMs)),
        limitMs,
        10,
      );
      await sleep(watchMs);
      const first = ledger.firstSince(markMs, others);
      const ms =
        first !== undefined
          ? first.atMs - markMs
          : served
            ? ledger.longestPause(markMs, machineMs()).endedMs - markMs
            : null;
      if (ms !== null) times.push(ms);
      fault.heal(primary);
      if (fault.ends) peer.revive(primary);
      await waitUntil(() => findWhole(peer, layout) !== null, 60_000, 250);
      await sleep(1_000);
      const verdict = judge(peer, layout, ledger);
      lost += verdict.lost;
      double += verdict.double;
      console.log(
        `  ${name} ${run + 1}: ${ms === null ? "no write" : `${Math.round(ms)} ms`}, lost ${verdict.lost}, double ${verdict.double}`,
      );
    }
  } finally {
    clear(layout, folder);
  }
  const middle = median(times);
  return {
    fault: name,
    runs,
    medianMs: middle === null ? null : Math.round(middle),
    maxMs: times.length === 0 ? null : Math.round(Math.max(...times)),
    lost,
    double,
    stuck: runs - times.length,
  };
}

/** The same node goes on after its server was killed: a pause, and writes again. */
function resumed(ledger: Ledger, markMs: number): boolean {
  const { beganMs, endedMs } = ledger.longestPause(markMs, Number.POSITIVE_INFINITY);
  return beganMs >= markMs - 1_000 && endedMs - beganMs > 100;
}

async function build(peer: Peer, layout: Layout, folder: string): Promise<Ledger> {
  createNetwork(layout);
  const clients = join(folder, layout.client.name);
  mkdirSync(clients, { recursive: true });
  await peer.build();
  const whole = await waitUntil(() => findWhole(peer, layout) !== null, 180_000, 500);
  const primary = findWhole(peer, layout);
  if (!whole || primary === null) throw new Error(`${peer.name} did not come up; its logs are in ${folder}`);
  for (const statement of makeApplication.split(";").filter((text) => text.trim() !== "")) peer.sql(primary, statement);
  peer.sql(primary, `SET ROLE app; ${makeTable}`, "shop");
  const ledger = startWitnessOf(layout, clients);
  await waitUntil(() => ledger.acknowledged.length > 100, 60_000);
  return ledger;
}

/** A primary from which both others stream. */
function findWhole(peer: Peer, layout: Layout): Host | null {
  const question = "SELECT pg_is_in_recovery(), (SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming')";
  for (const host of layout.members) {
    try {
      if (peer.sql(host, question) === "f|2") return host;
    } catch {
      // This one does not answer; the next may.
    }
  }
  return null;
}

function judge(peer: Peer, layout: Layout, ledger: Ledger): { readonly lost: number; readonly double: number } {
  const upTo = ledger.acknowledged.length;
  for (const host of layout.members) {
    try {
      if (peer.sql(host, "SELECT pg_is_in_recovery()") !== "f") continue;
      const present = new Set(peer.sql(host, "SELECT id FROM witness", "shop").split("\n").map(Number));
      const { lost, double, missing } = ledger.judge(present, upTo);
      ledger.forget(new Set(missing));
      return { lost, double };
    } catch {
      // Not this one.
    }
  }
  return { lost: 0, double: 0 };
}

function clear(layout: Layout, folder: string): void {
  for (const host of hostsOf(layout)) signalAll(listProcesses(host), "SIGKILL");
  removeNetwork(layout);
  rmSync(folder, { recursive: true, force: true });
}

/** One table: medians of each product, and how many times Holdfast's own it is. */
export function tellComparison(results: readonly PeerResult[]): readonly string[] {
  const head = ["product", "fault", "runs", "median ms", "max ms", "× holdfast", "lost", "double", "stuck"];
  const rows = results.map((each) => {
    const own = results.find(({ product, fault }) => product === "holdfast" && fault === each.fault)?.medianMs ?? null;
    const ratio = own === null || each.medianMs === null ? null : Math.round((10 * each.medianMs) / own) / 10;
    return [each.product, each.fault, each.runs, each.medianMs, each.maxMs, ratio, each.lost, each.double, each.stuck];
  });
  return formatTable([head, ...rows]);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
