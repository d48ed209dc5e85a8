// `e2e/plain/main.ts --cluster new|existing …`: does what docs/postgresql.md says, on hosts that are network namespaces, then breaks it. Needs
// root, iproute2, iptables, curl and the distribution's PostgreSQL. Everything it makes lies in `--folder`.
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { makeCertificate } from "./certificate.ts";
import { checkClients, startProxy } from "./clients.ts";
import { makeExistingCluster, psqlByHand } from "./existing.ts";
import { runFault } from "./faults.ts";
import { application, client, control, Installation, members, ports } from "./installation.ts";
import { Ledger } from "./ledger.ts";
import { createNetwork, listProcesses, removeNetwork, signalAll } from "./network.ts";
import { startReading, waitUntil } from "./shell.ts";
import { readStatus } from "./status.ts";

const hosts = [control, client, ...members];
const here = dirname(fileURLToPath(import.meta.url));

function readOptions() {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((argument) => argument !== "--"),
    options: {
      cluster: { type: "string", default: "new" },
      sync: { type: "string", default: "" },
      agent: { type: "string", default: "root" },
      manager: { type: "string", default: "agent" },
      faults: { type: "string", default: "" },
      folder: { type: "string", default: "/tmp/plain/run" },
      root: { type: "string", default: dirname(dirname(here)) },
      "bin-dir": { type: "string", default: "/usr/lib/postgresql/15/bin" },
      tls: { type: "boolean", default: false },
      disk: { type: "string" },
      keep: { type: "boolean", default: false },
    },
  });
  return values;
}

function idOf(flag: "-u" | "-g"): number {
  return Number(spawnSync("id", [flag, "postgres"], { encoding: "utf8" }).stdout);
}

function startWitness(installation: Installation): Ledger {
  const file = join(installation.folderOf(client), "witness.json");
  const endpoints = members.map((host) => ({ node: host.name, host: host.address, port: ports.postgres }));
  writeFileSync(file, JSON.stringify({ endpoints, ...application }));
  const argv = [process.execPath, "--import", "tsx", join(here, "witness.ts"), file];
  return new Ledger(
    startReading(
      client,
      ["env", "-C", dirname(dirname(here)), ...argv],
      join(installation.folderOf(client), "witness.log"),
    ),
  );
}

const makeApplication = `CREATE ROLE app LOGIN PASSWORD 'app-secret'; CREATE DATABASE shop OWNER app;`;
const makeTable =
  "CREATE TABLE witness (id bigint PRIMARY KEY, node text NOT NULL, written_at timestamptz NOT NULL DEFAULT clock_timestamp());";

async function main(): Promise<number> {
  const options = readOptions();
  const { folder, root } = options;
  const agentUser = options.agent === "postgres" ? "postgres" : "root";
  for (const host of hosts) signalAll(listProcesses(host), "SIGKILL");
  rmSync(folder, { recursive: true, force: true });
  createNetwork(hosts);
  const installation = new Installation({
    folder,
    root,
    binDir: options["bin-dir"],
    agentUser,
    tls: options.tls,
    diskMiB: options.disk === undefined ? null : Number(options.disk),
    manager: options.manager === "command" ? "command" : "agent",
    postgresUser: { uid: idOf("-u"), gid: idOf("-g") },
  });
  try {
    installation.makeFolders();
    if (options.tls) makeCertificate(installation);
    await installation.startServer();
    const ledger =
      options.cluster === "existing" ? await adopt(installation, options.sync) : await create(installation);
    console.log(installation.holdfast("status"));
    startProxy(installation);
    console.log(await checkClients(readStatus(installation)?.primary ?? ""));
    for (const fault of options.faults.split(",").filter(Boolean)) {
      await runFault(installation, ledger, fault);
      console.log(await checkClients(readStatus(installation)?.primary ?? ""));
    }
    console.log(installation.holdfast("status"));
    console.log(installation.holdfast("incidents"));
    console.log(installation.holdfast("audit", "verify"));
    const primary = members.find((host) => host.name === readStatus(installation)?.primary);
    if (primary === undefined) return 1;
    const { lost, double } = ledger.judge(readNumbers(installation, primary.name));
    console.log(JSON.stringify({ acknowledged: ledger.acknowledged.length, lost, double }));
    return lost + double === 0 ? 0 : 1;
  } finally {
    if (!options.keep) {
      for (const host of hosts) signalAll(listProcesses(host), "SIGKILL");
      removeNetwork(hosts);
      installation.releaseDisks();
    }
  }
}

function readNumbers(installation: Installation, node: string): ReadonlySet<number> {
  const host = members.find((each) => each.name === node);
  if (host === undefined) throw new Error(`there is no host ${node}`);
  const at = { user: application.user, password: application.password, database: application.database };
  return new Set(installation.sql(host, "SELECT id FROM witness", at).split("\n").map(Number));
}

async function settle(installation: Installation, deadlineMs: number): Promise<void> {
  const beganAt = performance.now();
  const settled = await waitUntil(() => readStatus(installation)?.automation === "on", deadlineMs, 200);
  console.log(`${settled ? "automation on" : "NOT SETTLED"} after ${Math.round(performance.now() - beganAt)} ms`);
}

async function create(installation: Installation): Promise<Ledger> {
  for (const host of members) {
    const network = { allowFrom: ["10.87.0.0/24", "127.0.0.1/32"] };
    installation.configureAgent(host, host.name === "a" ? { ...network, initialize: true } : network);
  }
  for (const host of members) installation.startAgent(host);
  await settle(installation, 120_000);
  const [first] = members;
  if (first === undefined) throw new Error("no members");
  installation.sql(first, makeApplication);
  const at = { user: application.user, password: application.password, database: application.database };
  installation.sql(first, makeTable, at);
  const ledger = startWitness(installation);
  await waitUntil(() => ledger.acknowledged.length > 100, 30_000);
  return ledger;
}

async function adopt(installation: Installation, syncNames: string): Promise<Ledger> {
  makeExistingCluster(installation, syncNames);
  const [first] = members;
  if (first === undefined) throw new Error("no members");
  const postmaster = () => members.map((host) => installation.sql(host, "SELECT pg_postmaster_start_time()")).join(" ");
  psqlByHand(installation, first, `CREATE ROLE holdfast LOGIN SUPERUSER PASSWORD '${installation.password}';`);
  psqlByHand(installation, first, makeApplication);
  const at = { user: application.user, password: application.password, database: application.database };
  installation.sql(first, makeTable, at);
  await waitUntil(
    () => installation.sql(members[2] ?? first, "SELECT count(*) FROM pg_roles WHERE rolname = 'app'") === "1",
    10_000,
  );
  const before = postmaster();
  const ledger = startWitness(installation);
  await waitUntil(() => ledger.acknowledged.length > 100, 30_000);
  for (const host of members) {
    installation.configureAgent(host);
    installation.startAgent(host);
  }
  await settle(installation, 120_000);
  console.log(before === postmaster() ? "adopted without a restart" : "RESTARTED while it was adopted");
  console.log(`synchronous_standby_names: ${installation.sql(first, "SHOW synchronous_standby_names")}`);
  console.log(`longest pause of the writer so far: ${Math.round(ledger.longestGap(0, Number.POSITIVE_INFINITY))} ms`);
  return ledger;
}

process.exit(await main());
