// `e2e/plain/main.ts --cluster new|existing …`: does what docs/postgresql.md says, on hosts that are network namespaces, then breaks it. Needs
// root, iproute2, iptables, curl and the distribution's PostgreSQL. Everything it makes lies in `--folder`.
import { rmSync } from "node:fs";
import { readCommand } from "../../scripts/command-line.ts";
import { makeCertificate } from "./certificate.ts";
import { checkClients, startProxy } from "./clients.ts";
import {
  asApplication,
  createCluster,
  makeApplication,
  makeTable,
  postgresUser,
  readNumbers,
  repository,
  settle,
  startWitness,
} from "./cluster.ts";
import { makeExistingCluster, psqlByHand } from "./existing.ts";
import { runFault } from "./faults.ts";
import { Installation } from "./installation.ts";
import type { Ledger } from "./ledger.ts";
import { createNetwork, describeLayout, hostsOf, listProcesses, removeNetwork, signalAll } from "./network.ts";
import { waitUntil } from "./shell.ts";
import { readStatus } from "./status.ts";

const layout = describeLayout("hfp", 3);
const { members } = layout;

const usage = `node scripts/run.js e2e/plain/main.ts -- [--cluster new|existing] [--faults a,b]
  --cluster C      new (made by Holdfast, default) or existing (made by hand first, then adopted)
  --sync NAMES     synchronous_standby_names of the existing cluster
  --agent USER     root (default) or postgres: whose agents they are
  --manager M      agent (default) or command: who starts PostgreSQL
  --faults a,b     what is broken afterwards
  --folder DIR     everything that is made (default /tmp/plain/run)
  --root DIR       the built Holdfast that is tried (default: this checkout)
  --bin-dir DIR    PostgreSQL's programs (default /usr/lib/postgresql/15/bin)
  --tls            the control plane behind TLS
  --disk MIB       a file system of that size for the data
  --keep           leave everything running at the end`;

function readOptions() {
  return readCommand(
    usage,
    {
      cluster: { type: "string", default: "new" },
      sync: { type: "string", default: "" },
      agent: { type: "string", default: "root" },
      manager: { type: "string", default: "agent" },
      faults: { type: "string", default: "" },
      folder: { type: "string", default: "/tmp/plain/run" },
      root: { type: "string", default: repository },
      "bin-dir": { type: "string", default: "/usr/lib/postgresql/15/bin" },
      tls: { type: "boolean", default: false },
      disk: { type: "string" },
      keep: { type: "boolean", default: false },
    },
    (values) => values,
  );
}

async function main(): Promise<number> {
  const options = readOptions();
  const { folder, root } = options;
  const agentUser = options.agent === "postgres" ? "postgres" : "root";
  for (const host of hostsOf(layout)) signalAll(listProcesses(host), "SIGKILL");
  rmSync(folder, { recursive: true, force: true });
  createNetwork(layout);
  const installation = new Installation({
    layout,
    folder,
    root,
    binDir: options["bin-dir"],
    agentUser,
    tls: options.tls,
    diskMiB: options.disk === undefined ? null : Number(options.disk),
    manager: options.manager === "command" ? "command" : "agent",
    postgresUser: postgresUser(),
  });
  try {
    installation.makeFolders();
    if (options.tls) makeCertificate(installation);
    await installation.startServer();
    const ledger =
      options.cluster === "existing" ? await adopt(installation, options.sync) : await createCluster(installation);
    console.log(installation.holdfast("status"));
    startProxy(installation);
    console.log(await checkClients(installation, readStatus(installation)?.primary ?? ""));
    for (const fault of options.faults.split(",").filter(Boolean)) {
      await runFault(installation, ledger, fault);
      console.log(await checkClients(installation, readStatus(installation)?.primary ?? ""));
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
      for (const host of hostsOf(layout)) signalAll(listProcesses(host), "SIGKILL");
      removeNetwork(layout);
      installation.releaseDisks();
    }
  }
}

async function adopt(installation: Installation, syncNames: string): Promise<Ledger> {
  makeExistingCluster(installation, syncNames);
  const [first] = members;
  if (first === undefined) throw new Error("no members");
  const postmaster = () => members.map((host) => installation.sql(host, "SELECT pg_postmaster_start_time()")).join(" ");
  psqlByHand(installation, first, `CREATE ROLE holdfast LOGIN SUPERUSER PASSWORD '${installation.password}';`);
  psqlByHand(installation, first, makeApplication);
  installation.sql(first, makeTable, asApplication);
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
