import { join } from "node:path";
import type { PostgresState, PostgresStatus, SyncConfiguration } from "../../../server/core/index.ts";
import type { FenceRecord } from "../../fence/promise.ts";
import { exists } from "../../shared/durable-file.ts";
import type { Log } from "../../shared/log.ts";
import { monotonicMs, poll } from "../../shared/time.ts";
import { DataDirectory } from "./data-directory.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { SqlLink } from "./link.ts";
import { Monitor } from "./monitor.ts";
import { slotName } from "./names.ts";
import { lsnOf, replayLagOf, reportExit } from "./reported.ts";
import { policeSenders } from "./sender-police.ts";
import type { PostgresService } from "./service.ts";
import { aloneSettings, baseSettings, fencedSettings, primarySettings, type Settings } from "./settings.ts";
import type { SqlConnection, SqlTarget } from "./sql.ts";
import type { ServerStatus } from "./status-query.ts";
import { type PostmasterExit, Supervisor } from "./supervisor.ts";

/** What an instance needs of the agent around it. */
export interface InstanceHost {
  readonly log: Log;
  fence(): FenceRecord;
  /** Highest timeline ever seen streamed, kept across restarts. */
  timeline(): number | null;
  rememberTimeline(timeline: number | null): void;
  /** Something changed that is worth an eager heartbeat. */
  changed(): void;
  /** A fact for the durable spool; the code is a message key below `timeline.`. */
  signal(code: string, data: Readonly<Record<string, string | number | boolean | null>>): void;
}

const readyDeadlineMs = 60_000;
const sqlDeadlineMs = 2_000;
const staleStatusMs = 2_000;

/** One PostgreSQL server under this agent: its files, its process, what is seen of it. Verbs are built on it. */
export class PostgresInstance {
  readonly service: PostgresService;
  readonly host: InstanceHost;
  readonly data: DataDirectory;
  readonly supervisor: Supervisor;
  readonly monitor: Monitor;
  readonly lease: LeaseKeeper;
  readonly #control: SqlLink;
  #empty = false;
  #rejoining = false;
  #startedAtMs = 0;
  #verbs = 0;
  #restarts = 0;
  #hasRewind = false;
  readonly #owned = async () => baseSettings(this.service, await this.data.majorVersion());

  constructor(service: PostgresService, host: InstanceHost) {
    this.service = service;
    this.host = host;
    this.data = new DataDirectory(
      service.dataDir,
      service.runAs,
      join(service.stateDir, `${service.cluster}-unfinished`),
    );
    this.supervisor = new Supervisor(service, (exit) => this.#exited(exit));
    this.#control = new SqlLink(
      () => this.target("holdfast control"),
      () => this.supervisor.checkNow(),
    );
    this.lease = new LeaseKeeper(this, service.watchdog);
    this.monitor = new Monitor({
      node: service.node,
      dataDir: service.dataDir,
      target: this.target("holdfast agent"),
      onChange: () => host.changed(),
      onClosed: () => this.supervisor.checkNow(),
      onStatus: (status) => this.#statusTaken(status),
    });
  }

  /**
   * Boot fenced: a server that runs is left alone, one that does not is started as a standby that follows only whom the stored grant names.
   * One that was never under a grant is somebody's own, maybe a primary: it is not touched, and taken over when they have started it.
   */
  async boot(): Promise<void> {
    this.#hasRewind = await exists(join(this.service.binDir, "pg_rewind"));
    const runs = await this.attach();
    // Nothing that is unfinished runs: somebody has put a database there since.
    if (runs && (await this.data.isUnfinished())) await this.data.unmarkUnfinished();
    await this.refreshEmpty();
    if (this.#empty || runs) return;
    const { standing, promise } = this.host.fence();
    if (promise === null || standing.kind === "none") {
      this.host.log("warn", "PostgreSQL does not run; start it as it was, and it will be taken over", {
        dataDir: this.service.dataDir,
      });
      return;
    }
    await this.startStandby(aloneSettings(this.service, this.host.fence()), { wait: false });
  }

  /** Takes a server that runs under watch, whoever started it. False when there is none. */
  async attach(): Promise<boolean> {
    if (this.running) return true;
    if (!(await this.supervisor.attach())) return false;
    this.#began();
    return true;
  }

  target(applicationName: string): SqlTarget {
    const { host, port, user, password } = this.service;
    return { host, port, user, password, database: "postgres", applicationName };
  }

  /** A connection for verbs, kept open so that none of them pays for connecting. */
  control(deadlineMs = sqlDeadlineMs): Promise<SqlConnection> {
    return this.#control.get(deadlineMs, "SET synchronous_commit = local");
  }

  get running(): boolean {
    return this.supervisor.pid !== null;
  }

  get empty(): boolean {
    return this.#empty;
  }

  async refreshEmpty(): Promise<void> {
    this.#empty = await this.data.isEmpty();
  }

  /** Marks a rejoin as under way; its data directory is no database meanwhile. */
  setRejoining(rejoining: boolean): void {
    this.#rejoining = rejoining;
    this.host.changed();
  }

  /** True while a verb works on this server: whatever looks after it by itself keeps its hands off. */
  get busy(): boolean {
    return this.#verbs > 0;
  }

  async whileBusy<T>(work: () => Promise<T>): Promise<T> {
    this.#verbs += 1;
    try {
      return await work();
    } finally {
      this.#verbs -= 1;
    }
  }

  /** A server that is down for a moment between a stop and a start is not one that has stopped. */
  async whileRestarting<T>(work: () => Promise<T>): Promise<T> {
    this.#restarts += 1;
    try {
      return await work();
    } finally {
      this.#restarts -= 1;
      this.host.changed();
    }
  }

  get rejoining(): boolean {
    return this.#rejoining;
  }

  /** Starts as a standby. Settings and `standby.signal` are on disk before the process exists. */
  async startStandby(settings: Settings, options: { readonly wait: boolean } = { wait: true }): Promise<void> {
    await this.data.setStandbySignal(true);
    await this.data.removeReservations();
    await this.data.writeSettings({ ...(await this.#owned()), ...settings });
    await this.#start();
    if (options.wait) await this.waitReady();
  }

  /** Starts as a primary; only under a grant. */
  async startPrimary(configuration: SyncConfiguration): Promise<void> {
    await this.lease.waitToBegin(configuration);
    await this.data.writeSettings({ ...(await this.#owned()), ...primarySettings(configuration) });
    await this.data.setStandbySignal(false);
    await this.#start();
    await this.waitReady();
  }

  /** Stops at once and makes sure that nothing can start it as a primary. */
  async stopFenced(): Promise<void> {
    await this.supervisor.stop("immediate", 400);
    this.#ended();
    await this.data.setStandbySignal(true);
    await this.data.writeSettings({ ...(await this.#owned()), ...fencedSettings });
  }

  /** Stops in good order so that the directory is consistent; past the deadline at once. */
  async stop(deadlineMs: number): Promise<void> {
    await this.supervisor.stop("fast", deadlineMs);
    this.#ended();
  }

  /** Writes settings and has the running server read them. */
  async applySettings(settings: Settings): Promise<void> {
    await this.data.writeSettings(settings);
    await this.supervisor.reload();
  }

  /** The same with everything the agent owns: for a server that ran before the agent came. */
  async applyOwned(settings: Settings): Promise<void> {
    return this.applySettings({ ...(await this.#owned()), ...settings });
  }

  /** Waits until the server reports a setting as wanted: by then the postmaster has told every process to read it. */
  async waitForSetting(name: string, value: string, deadlineMs: number): Promise<void> {
    const connection = await this.control();
    const seen = await poll(
      async () => {
        const [row] = await connection.query("SELECT current_setting($1, true) AS value", [name], sqlDeadlineMs);
        return row?.value === value ? true : null;
      },
      { intervalMs: 3, deadlineMs },
    );
    if (seen === null) throw new Error(`${name} was not in force after ${deadlineMs} ms`);
  }

  /** Resolves when the server accepts connections. @throws Error with the end of PostgreSQL's log when it ended. */
  async waitReady(): Promise<SqlConnection> {
    let last = "";
    const connection = await poll(
      async () => {
        if (!this.running) throw new Error(`PostgreSQL ended while starting: ${await this.supervisor.logTail()}`);
        try {
          return await this.control(1_000);
        } catch (error) {
          last = error instanceof Error ? error.message : String(error);
          return null;
        }
      },
      { intervalMs: 10, deadlineMs: readyDeadlineMs },
    );
    if (connection === null)
      throw new Error(`PostgreSQL did not accept connections within ${readyDeadlineMs} ms: ${last}`);
    return connection;
  }

  /** Whether the running server is a standby, also while it does not answer yet: the signal file decides what a start makes of it. */
  async isStandby(): Promise<boolean> {
    try {
      return await this.inRecovery();
    } catch (error) {
      if (this.monitor.status !== null) throw error;
      return this.data.hasStandbySignal();
    }
  }

  async inRecovery(): Promise<boolean> {
    const connection = await this.control();
    const [row] = await connection.query("SELECT pg_is_in_recovery() AS recovery", [], sqlDeadlineMs);
    return row?.recovery === true;
  }

  /** Makes a slot for every peer that has none. A slot reserves nothing before its member first streams. */
  async ensureSlots(nodes: readonly string[]): Promise<void> {
    const names = nodes.filter((node) => node !== this.service.node).map(slotName);
    if (names.length === 0) return;
    const connection = await this.control();
    await connection.query(
      "SELECT pg_create_physical_replication_slot(name, false) FROM unnest($1::text[]) AS name WHERE NOT EXISTS (SELECT 1 FROM pg_replication_slots WHERE slot_name = name)",
      [names],
      5_000,
    );
  }

  /** A standby's slots of an earlier time as primary would keep WAL for ever. */
  async dropReservedSlots(): Promise<void> {
    const connection = await this.control();
    await connection.query(
      "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name LIKE 'holdfast\\_%' AND NOT active AND restart_lsn IS NOT NULL",
      [],
      5_000,
    );
  }

  /** Detaches from PostgreSQL, which runs on. */
  async close(): Promise<void> {
    this.lease.stop();
    this.monitor.stop();
    this.#control.drop();
    if (this.service.stopWithAgent) await this.supervisor.stop("fast", 30_000);
    this.supervisor.release();
  }

  /** The status of a heartbeat. Never waits. */
  snapshot(nowMs: number): PostgresStatus {
    const { service, monitor } = this;
    const status = this.running ? monitor.status : null;
    const fence = this.host.fence();
    return {
      cluster: service.cluster,
      host: service.advertise.host,
      port: service.advertise.port,
      state: this.#state(nowMs),
      role: status === null ? null : status.recovery ? "standby" : "primary",
      systemId: monitor.identity?.systemId ?? null,
      version: monitor.identity?.version ?? null,
      timeline: this.timelineOf(status),
      lsn: status === null ? null : lsnOf(status),
      replayLsn: status?.replayLsn ?? null,
      replayPaused: status?.paused ?? false,
      replayLagMs: status === null ? null : replayLagOf(status),
      receiver: status === null ? null : this.#receiver(status, nowMs),
      replication: (status?.replication ?? []).map(({ pid: _pid, startedAt: _startedAt, ...row }) => row),
      synchronousStandbyNames: status?.names ?? null,
      probe: this.running
        ? monitor.probe(nowMs)
        : { ok: false, ms: null, failingForMs: this.#downForMs(nowMs), reason: "refused" },
      syncProbe: monitor.syncProbe(nowMs),
      exit: this.running ? null : reportExit(this.supervisor.lastExit, nowMs),
      promise: fence.promise,
      configurations: fence.configurations,
      promoteIssuedEpoch: fence.promoteIssuedEpoch,
      connections: this.running ? monitor.load.connections : null,
      preparedTransactions: this.running ? monitor.load.prepared : null,
      longestTransactionMs: this.running ? monitor.load.longestMs : null,
      inDoubt: this.running ? monitor.inDoubt : [],
      response: monitor.response(nowMs),
      // Of a server that does not answer it is unknown; pg_rewind looks at the control file itself and refuses, which leaves the clone.
      canRewind: this.#hasRewind && (monitor.identity?.canRewind ?? true),
      initialize: service.initialize && this.#empty && fence.promise === null,
      ...this.lease.status(nowMs),
    };
  }

  /** Timeline of the WAL at hand. A standby's control file lags, so the highest streamed one counts too. */
  timelineOf(status: ServerStatus | null): number | null {
    if (status === null) return null;
    if (!status.recovery) return status.insertTimeline;
    const known = [status.receiver?.timeline, this.host.timeline(), this.monitor.identity?.controlTimeline];
    return Math.max(0, ...known.map((timeline) => timeline ?? 0)) || null;
  }

  #receiver(status: ServerStatus, nowMs: number): PostgresStatus["receiver"] {
    const { receiver } = status;
    if (!status.recovery) return null;
    return {
      status: receiver === null ? "none" : receiver.status === "streaming" ? "streaming" : "starting",
      senderHost: receiver?.host ?? null,
      senderPort: receiver?.port ?? null,
      receivedLsn: receiver?.writtenLsn ?? status.receiveLsn,
      advancedAgoMs: this.monitor.receiverAdvancedAgoMs(nowMs),
    };
  }

  #state(nowMs: number): PostgresState {
    if (this.#rejoining) return "rejoining";
    if (!this.running) return this.#empty ? "empty" : this.#restarts > 0 ? "starting" : "stopped";
    const probe = this.monitor.probe(nowMs);
    const statusAgeMs = this.monitor.statusAgeMs(nowMs);
    if (statusAgeMs === null) return nowMs - this.#startedAtMs < readyDeadlineMs ? "starting" : "hung";
    if (probe.ok) return "running";
    if (this.monitor.starting) return "starting";
    // An answer that is an error is an answer; only silence makes a server hung.
    return probe.reason === "timeout" || statusAgeMs > staleStatusMs ? "hung" : "running";
  }

  #downForMs(nowMs: number): number {
    const exit = this.supervisor.lastExit;
    return exit === null ? 0 : nowMs - exit.atMs;
  }

  #statusTaken(status: ServerStatus): void {
    const timeline = status.recovery ? (status.receiver?.timeline ?? null) : status.insertTimeline;
    if (timeline !== null && timeline > (this.host.timeline() ?? 0)) this.host.rememberTimeline(timeline);
    void policeSenders(this, status).catch((error: unknown) =>
      this.host.log("warn", "senders could not be checked", { error: String(error) }),
    );
  }

  async #start(): Promise<void> {
    this.#empty = false;
    await this.supervisor.start();
    this.#began();
  }

  #began(): void {
    this.#startedAtMs = monotonicMs();
    this.monitor.start();
    this.host.changed();
  }

  #ended(): void {
    this.monitor.stop();
    this.#control.drop();
    this.host.changed();
  }

  #exited(exit: PostmasterExit): void {
    this.#ended();
    const { expected, pid, code, signal } = exit;
    this.host.log(expected ? "info" : "warn", "PostgreSQL ended", { pid, code, signal });
    if (!expected) this.host.signal("postmaster-exited", { pid, code, signal });
  }
}
