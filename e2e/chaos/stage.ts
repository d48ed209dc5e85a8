import { readFileSync } from "node:fs";
import { join } from "node:path";
import { machineMs } from "../../demo/clock.ts";
import { listServerProcesses } from "../plain/faults.ts";
import { clusterName, type Installation } from "../plain/installation.ts";
import type { Ledger } from "../plain/ledger.ts";
import { findProcesses, type Host, listProcesses, mendHost, signalAll } from "../plain/network.ts";
import { type Finished, run, runLater, waitUntil } from "../plain/shell.ts";
import { waitForWhole } from "./whole.ts";

/** Commands that an agent has accepted, with whether each has come to its end. */
interface AgentRecord {
  readonly epoch: number;
  /** Verbs that run now. */
  readonly running: readonly string[];
}

/** The hosts of one run, and what can be done to them. */
export class Stage {
  readonly installation: Installation;
  readonly ledger: Ledger;
  readonly primary: Host;
  readonly standbys: readonly Host[];
  readonly epoch: number;
  readonly beganAtMs = machineMs();
  /** From when on time counts. */
  markedAtMs = this.beganAtMs;
  /** When the last fault was undone. */
  healedAtMs: number | null = null;

  constructor(installation: Installation, ledger: Ledger, primary: Host, epoch: number) {
    this.installation = installation;
    this.ledger = ledger;
    this.primary = primary;
    this.epoch = epoch;
    this.standbys = installation.members.filter((host) => host !== primary);
  }

  get control(): Host {
    return this.installation.control;
  }

  mark(): void {
    this.markedAtMs = machineMs();
  }

  /** Undoes something; the return of the old primary is counted from the last one. */
  heal(undo: () => void): void {
    this.healedAtMs = machineMs();
    undo();
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** Sleeps for a time drawn anew in each run. */
  doze(fromMs: number, toMs: number): Promise<void> {
    return this.sleep(fromMs + Math.random() * (toMs - fromMs));
  }

  anyStandby(): Host {
    return this.standbys[Math.floor(Math.random() * this.standbys.length)] as Host;
  }

  /** Waits for a write that was sent after the mark and acknowledged by somebody else than the old primary (or by these). */
  served(limitMs: number, by: readonly Host[] = this.standbys): Promise<boolean> {
    const names = by.map((host) => host.name);
    return waitUntil(() => this.ledger.firstSince(this.markedAtMs, names) !== undefined, limitMs, 10);
  }

  /** Waits until it holds; a scenario whose moment never comes is no trial of it. @throws Error */
  async moment(what: string, holds: () => boolean, limitMs: number): Promise<void> {
    if (!(await waitUntil(holds, limitMs, 2))) throw new Error(`the moment never came: ${what}`);
  }

  /** A standby has promised a newer epoch on its disk: the failover is under way. */
  sealing(): boolean {
    return this.standbys.some((host) => (this.agentRecord(host)?.epoch ?? 0) > this.epoch);
  }

  /** The standby whose agent is promoting its server right now. */
  promoting(): Host | undefined {
    return this.standbys.find((host) => this.agentRecord(host)?.running.includes("postgres.promote"));
  }

  /** Whether commits on the primary may wait for this standby. */
  counts(standby: Host): boolean {
    return this.installation.sql(this.primary, "SHOW synchronous_standby_names").includes(`_${standby.name}`);
  }

  agentRecord(host: Host): AgentRecord | null {
    try {
      const text = readFileSync(join(this.installation.folderOf(host), "state/state.json"), "utf8");
      const { fences, ledger } = JSON.parse(text);
      return {
        epoch: fences[clusterName]?.promise?.epoch ?? 0,
        running: ledger
          .filter((entry: { outcome: unknown }) => entry.outcome === null)
          .map(({ verb }: { verb: string }) => verb),
      };
    } catch {
      return null;
    }
  }

  kill(host: Host): void {
    signalAll(listProcesses(host), "SIGKILL");
  }

  freeze(host: Host): void {
    signalAll(listProcesses(host), "SIGSTOP");
  }

  thaw(host: Host): void {
    signalAll(listProcesses(host), "SIGCONT");
  }

  killPostgres(host: Host): void {
    signalAll(listServerProcesses(host), "SIGKILL");
  }

  killAgent(host: Host): void {
    signalAll(findProcesses(host, "agent.yaml"), "SIGKILL");
  }

  /** The control plane's own database server, without the control plane. */
  listStoreProcesses(): readonly number[] {
    const servers = new Set(findProcesses(this.control, "server.yaml"));
    return listProcesses(this.control).filter((pid) => !servers.has(pid));
  }

  startAgent(host: Host): void {
    this.installation.startAgent(host);
  }

  /** Resolves when it answers `/readyz`. */
  startServer(): Promise<void> {
    return this.installation.startServer();
  }

  serverIsReady(): boolean {
    const url = `${this.installation.url}/readyz`;
    return run(this.control, ["curl", "-fsS", "-m", "1", url], { mayFail: true }).includes("ready");
  }

  serverRuns(): boolean {
    return findProcesses(this.control, "server.yaml").length > 0;
  }

  agentRuns(host: Host): boolean {
    return findProcesses(host, "agent.yaml").length > 0;
  }

  mend(host: Host): void {
    mendHost(host);
  }

  /** Every member streams and counts. */
  async whole(limitMs: number): Promise<boolean> {
    return (await waitForWhole(this.installation, limitMs)) !== null;
  }

  operator(...args: readonly string[]): Promise<Finished> {
    return runLater(this.control, this.installation.commandLine(...args), {
      env: this.installation.commandEnvironment,
    });
  }

  /** By the command line, to its end. @throws Error when it was refused or failed */
  async changePrimary(how: "switchover" | "failover", ...args: readonly string[]): Promise<void> {
    const { status, output } = await this.operator(how, clusterName, ...args, "--reason", "chaos", "--yes");
    if (status !== 0) throw new Error(`the ${how} ended with ${status}: ${output}`);
  }

  switchOver(to: Host): Promise<Finished> {
    return this.operator("switchover", clusterName, "--to", to.name, "--reason", "chaos", "--yes");
  }
}
