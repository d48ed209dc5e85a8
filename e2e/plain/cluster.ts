import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { application, clusterName, type Installation, ports } from "./installation.ts";
import { Ledger } from "./ledger.ts";
import type { Host, Layout } from "./network.ts";
import { startReading, waitUntil } from "./shell.ts";
import { readStatus } from "./status.ts";

/** What the trials share: a new cluster as docs/postgresql.md makes it, the witness that writes to it, and the rows it holds. */

const here = dirname(fileURLToPath(import.meta.url));
/** The checkout that this file is in. */
export const repository = dirname(dirname(here));

export const makeApplication = `CREATE ROLE app LOGIN PASSWORD 'app-secret'; CREATE DATABASE shop OWNER app;`;
export const makeTable =
  "CREATE TABLE witness (id bigint PRIMARY KEY, node text NOT NULL, written_at timestamptz NOT NULL DEFAULT clock_timestamp());";
export const asApplication = {
  user: application.user,
  password: application.password,
  database: application.database,
} as const;

export function postgresUser(): { readonly uid: number; readonly gid: number } {
  const idOf = (flag: "-u" | "-g") => Number(spawnSync("id", [flag, "postgres"], { encoding: "utf8" }).stdout);
  return { uid: idOf("-u"), gid: idOf("-g") };
}

/** One connection pinned to each node, on the client's host. */
export function startWitness(installation: Installation): Ledger {
  return startWitnessOf(installation.options.layout, installation.folderOf(installation.client));
}

/** The same for any cluster on these hosts. */
export function startWitnessOf({ client, members }: Layout, folder: string): Ledger {
  const file = join(folder, "witness.json");
  const endpoints = members.map((host) => ({ node: host.name, host: host.address, port: ports.postgres }));
  writeFileSync(file, JSON.stringify({ endpoints, ...application }));
  const argv = [process.execPath, "--import", "tsx", join(here, "witness.ts"), file];
  const log = join(folder, "witness.log");
  return new Ledger(startReading(client, ["env", "-C", repository, ...argv], log));
}

/** Agents initialize the first member and clone the others; automation turns on by itself. */
export async function createCluster(installation: Installation): Promise<Ledger> {
  const first = await createFirstMembers(installation);
  installation.sql(first, makeApplication);
  installation.sql(first, makeTable, asApplication);
  const ledger = startWitness(installation);
  await waitUntil(() => ledger.acknowledged.length > 100, 30_000);
  const { asynchronous } = installation.options;
  if (asynchronous != null) {
    const limit = String(asynchronous.maxLagBytes);
    installation.holdfast("durability", clusterName, "async", limit, "--reason", "a trial of it", "--yes");
  }
  return ledger;
}

/** The cluster without anybody who writes to it; answers with its first primary. */
export async function createFirstMembers(installation: Installation): Promise<Host> {
  const [first] = installation.members;
  if (first === undefined) throw new Error("no members");
  for (const host of installation.members) {
    const network = { allowFrom: ["10.87.0.0/24", "127.0.0.1/32"] };
    installation.configureAgent(host, host === first ? { ...network, initialize: true } : network);
  }
  for (const host of installation.members) installation.startAgent(host);
  await settle(installation, 180_000);
  return first;
}

export async function settle(installation: Installation, deadlineMs: number): Promise<void> {
  const beganAt = performance.now();
  const settled = await waitUntil(() => readStatus(installation)?.automation === "on", deadlineMs, 200);
  console.log(`${settled ? "automation on" : "NOT SETTLED"} after ${Math.round(performance.now() - beganAt)} ms`);
}

/** Every number that a member holds. */
export function readNumbers(installation: Installation, node: string): ReadonlySet<number> {
  const host = installation.members.find((each) => each.name === node);
  if (host === undefined) throw new Error(`there is no host ${node}`);
  return new Set(installation.sql(host, "SELECT id FROM witness", asApplication).split("\n").map(Number));
}
