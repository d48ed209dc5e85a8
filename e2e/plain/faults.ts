import { rmSync } from "node:fs";
import { join } from "node:path";
import { machineMs } from "../../demo/clock.ts";
import type { Installation } from "./installation.ts";
import type { Ledger } from "./ledger.ts";
import { cutHost, findProcesses, type Host, listProcesses, mendHost, signalAll } from "./network.ts";
import { run, waitUntil } from "./shell.ts";
import { readStatus } from "./status.ts";

/** How a host fails, and what an operator (or its service manager) does when it is back. */
interface Fault {
  strike(installation: Installation, host: Host): void;
  heal(installation: Installation, host: Host): void;
  /** Time between the two, milliseconds. */
  readonly lastsMs: number;
  /** Whether another node is to take over. */
  readonly moves: boolean;
}

const faults: Readonly<Record<string, Fault>> = {
  crash: {
    strike: (_, host) => signalAll(listProcesses(host), "SIGKILL"),
    heal: (installation, host) => installation.startAgent(host),
    lastsMs: 4_000,
    moves: true,
  },
  freeze: {
    strike: (_, host) => signalAll(listProcesses(host), "SIGSTOP"),
    heal: (_, host) => signalAll(listProcesses(host), "SIGCONT"),
    lastsMs: 8_000,
    moves: true,
  },
  power: {
    strike: (_, host) => {
      cutHost(host);
      signalAll(listProcesses(host), "SIGKILL");
    },
    heal: (installation, host) => {
      mendHost(host);
      installation.startAgent(host);
    },
    lastsMs: 8_000,
    moves: true,
  },
  partition: {
    strike: (_, host) => cutHost(host),
    heal: (_, host) => mendHost(host),
    lastsMs: 10_000,
    moves: true,
  },
  /** The clients still reach the old primary. */
  split: {
    strike: (installation, host) => {
      const others = installation.members.filter((each) => each !== host);
      cutHost(host, [...others, installation.control]);
    },
    heal: (_, host) => mendHost(host),
    lastsMs: 10_000,
    moves: true,
  },
  pgkill: {
    strike: (_, host) => signalAll(listServerProcesses(host), "SIGKILL"),
    heal: () => undefined,
    lastsMs: 4_000,
    moves: true,
  },
  pgfreeze: {
    strike: (_, host) => signalAll(listServerProcesses(host), "SIGSTOP"),
    heal: (_, host) => signalAll(listServerProcesses(host), "SIGCONT"),
    lastsMs: 8_000,
    moves: true,
  },
  /** Nothing more can be written; with `--disk` only, or it would be the machine's own. */
  diskfull: {
    strike: (installation, host) => {
      if (installation.options.diskMiB === null) throw new Error("diskfull needs --disk");
      run(host, ["dd", "if=/dev/zero", `of=${fillOf(installation, host)}`, "bs=1M"], { mayFail: true });
    },
    heal: (installation, host) => rmSync(fillOf(installation, host)),
    lastsMs: 15_000,
    moves: true,
  },
  /** The control plane is away for a minute, and the primary's host dies meanwhile. Counted from its return. */
  ctl: {
    strike: (installation, host) => {
      signalAll(listProcesses(installation.control), "SIGKILL");
      setTimeout(() => signalAll(listProcesses(host), "SIGKILL"), 30_000);
    },
    heal: (installation, host) => {
      void installation.startServer();
      installation.startAgent(host);
    },
    lastsMs: 60_000,
    moves: true,
  },
  agentkill: {
    strike: (_, host) => signalAll(findProcesses(host, "agent.yaml"), "SIGKILL"),
    heal: (installation, host) => installation.startAgent(host),
    lastsMs: 8_000,
    moves: false,
  },
};

function fillOf(installation: Installation, host: Host): string {
  return join(installation.folderOf(host), "fill");
}

/** Every process of PostgreSQL on the host. */
export function listServerProcesses(host: Host): readonly number[] {
  const agents = new Set(findProcesses(host, "agent.yaml"));
  return listProcesses(host).filter((pid) => !agents.has(pid));
}

/** Strikes the primary, measures, heals, and waits until everybody streams again. */
export async function runFault(installation: Installation, ledger: Ledger, name: string): Promise<void> {
  const fault = faults[name];
  if (fault === undefined) throw new Error(`there is no fault ${name}; there are ${Object.keys(faults).join(", ")}`);
  await waitForWholeCluster(installation, 60_000);
  const before = readStatus(installation);
  const { members } = installation;
  const host = members.find((each) => each.name === before?.primary);
  if (host === undefined) throw new Error("no primary");
  const others = members.filter((each) => each !== host).map((each) => each.name);
  const struckAt = machineMs();
  fault.strike(installation, host);
  await waitUntil(() => fault.moves && ledger.firstSince(struckAt, others) !== undefined, fault.lastsMs, 20);
  const rest = fault.lastsMs - (machineMs() - struckAt);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, rest)));
  const healedAt = machineMs();
  fault.heal(installation, host);
  const back = await waitForWholeCluster(installation, 60_000);
  const first = ledger.firstSince(struckAt, fault.moves ? others : [host.name]);
  const measuredAt = machineMs();
  // What the witness has printed until now is still to be read.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const gap = ledger.longestGap(struckAt, measuredAt);
  const way =
    first === undefined ? "NO WRITE elsewhere" : `${host.name} → ${first.node} ${Math.round(first.atMs - struckAt)} ms`;
  console.log(
    `${name}: ${way}, pause ${Math.round(gap)} ms, whole again ${back ? `${Math.round(measuredAt - healedAt)} ms after it was healed` : "NEVER"}`,
  );
}

/** Every other member streams from the primary, by PostgreSQL's own word. */
export async function waitForWholeCluster(installation: Installation, deadlineMs: number): Promise<boolean> {
  return waitUntil(
    () => {
      for (const host of installation.members) {
        try {
          const streaming = installation.sql(
            host,
            "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND application_name ~ '^e' AND NOT pg_is_in_recovery()",
          );
          if (streaming === String(installation.members.length - 1) && installation.probe(host, "/primary") === 200)
            return true;
        } catch {
          // This one does not answer; the next may.
        }
      }
      return false;
    },
    deadlineMs,
    100,
  );
}
