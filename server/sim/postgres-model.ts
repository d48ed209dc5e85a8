import type { Network } from "./network.ts";
import { DEFAULT_TIMING, type PostgresDisk, type PostgresTiming, type Waiter } from "./postgres-parts.ts";
import { grantedFlushLsn, parseNames, type SynchronousNames } from "./synchronous-names.ts";
import type { SimWorld } from "./trace.ts";
import { appendRecord, FIRST_RECORD, recordAt, switchTimeline, type WalRecord } from "./wal.ts";
import { connectReceiver, type Receiver } from "./wal-receiver.ts";
import { acceptSender, keepAliveSenders, pumpSenders, type Sender } from "./wal-sender.ts";
import type { Host, Process } from "./world.ts";

/**
 * A model of one PostgreSQL server with the semantics that a failover hangs on: what a commit waits for, what a crash keeps,
 * timelines and who may follow whom. Checked against PostgreSQL 15's behaviour as described in its manual ("High
 * Availability", "synchronous_standby_names") and in `syncrep.c`, `walsender.c`, `xlogrecovery.c`.
 */
export class PostgresModel {
  readonly disk: PostgresDisk;
  readonly timing: PostgresTiming = { ...DEFAULT_TIMING };
  readonly process: Process;
  state: "stopped" | "starting" | "running" | "stopping" = "stopped";
  role: "primary" | "standby" | null = null;
  receiver: Receiver | null = null;
  /** When the receiver last ended, and why; the agent's log watcher sees it. */
  receiverEndedMs = Number.NEGATIVE_INFINITY;
  senders: Sender[] = [];
  waiters: Waiter[] = [];
  /** `pg_last_wal_receive_lsn()`: null after a start until a stream has begun, whatever the disk holds. */
  receivedLsn: number | null = null;
  /** `primary_slot_name` is set: a slot serves one walsender at a time. */
  streamsBySlot = true;
  replayPaused = false;
  /** No connection left for ordinary users: probes of peers are refused, streams and the agent's own SQL go on. */
  slotsFull = false;
  /** Disk full or hung: nothing is flushed while true. */
  diskStuck = false;
  /** No room left: it can be read, and every write is an error. */
  diskFull = false;
  /** Set in a primary that hands over: sessions can only read by default, and whether one insists on writing. */
  quiesced: { readonly someInsist: boolean } | null = null;
  /** Called when role, receiver or process changes; the agent reports at once. */
  onChange: () => void = () => {};
  lastMoveMs = 0;
  /** What the primary's agent and the standbys' agents say to each other over this server (names of their connections). */
  leaseAsk: { readonly epoch: number; readonly ask: number } | null = null;
  readonly leaseVotes = new Map<string, { readonly epoch: number; readonly ask: number }>();
  /** End of crash recovery of a primary: everything up to here is visible to whoever is let in. */
  recoveryEndLsn = 0;
  private namesInForce: SynchronousNames | null = null;
  /** Shared flag that only the checkpointer sets: backends don't wait at all while it is false. */
  private waitingDefined = false;
  private releasedLsn = 0;
  private flushScheduled = false;
  private readonly sessions = new Set<(how: "lost") => void>();

  constructor(
    readonly world: SimWorld,
    readonly network: Network,
    readonly host: Host,
    readonly find: (node: string) => PostgresModel | undefined,
  ) {
    this.process = world.addProcess(`postgres@${host.name}`, host);
    this.disk = {
      state: "empty",
      written: FIRST_RECORD,
      flushed: FIRST_RECORD,
      names: "",
      upstream: null,
      applicationName: host.name,
      standbySignal: false,
      historyUpTo: 1,
      systemId: "",
      gateClosed: false,
    };
    this.process.onDeath.push((how) => this.died(how));
    network.listen(host.name, "postgres", {
      process: this.process,
      accept: (side: Parameters<typeof acceptSender>[1]) => acceptSender(this, side),
    });
  }

  get node(): string {
    return this.host.name;
  }

  get alive(): boolean {
    return this.process.alive;
  }

  /** Whether SQL is answered now. */
  get answers(): boolean {
    return this.process.alive && !this.process.frozen && this.state === "running";
  }

  /** `synchronous_standby_names` as running processes have it. */
  get effectiveNames(): string | null {
    return this.namesInForce?.text ?? "";
  }

  get oldestWaitMs(): number {
    const first = this.waiters[0];
    return first === undefined ? 0 : this.world.nowMs - first.sinceMs;
  }

  /** Starts as what the signal file says. Crash recovery reads local WAL to its end. */
  start(): void {
    if (this.process.alive || this.disk.state !== "ok") return;
    this.world.boot(this.process);
    this.state = "starting";
    this.role = null;
    this.receivedLsn = null;
    const durationMs = this.timing.startMs * this.world.random.between(0.7, 2);
    this.world.work(durationMs, this.process, () => this.finishStart());
    this.onChange();
  }

  private finishStart(): void {
    const { disk } = this;
    this.state = "running";
    this.role = disk.standbySignal ? "standby" : "primary";
    this.namesInForce = parseNames(disk.names);
    this.waitingDefined = this.namesInForce.names.length > 0;
    this.releasedLsn = 0;
    this.disk.flushed = disk.written;
    if (this.role === "primary") this.append("checkpoint", 0);
    this.recoveryEndLsn = disk.written.lsn;
    this.world.emit({ kind: "postgres-started", node: this.node, role: this.role, head: disk.written });
    if (this.role === "primary" && !this.disk.gateClosed) this.letUsersIn();
    this.world.after(1_000, this.process, () => this.keepHouse());
    if (this.role === "standby") this.connectUpstream();
    this.onChange();
  }

  /** The host-based rules are open: whoever connects sees everything up to the end of recovery. */
  letUsersIn(): void {
    this.disk.gateClosed = false;
    this.world.emit({ kind: "users-let-in", node: this.node, head: recordAt(this.disk.written, this.recoveryEndLsn) });
  }

  /** A client's INSERT. Returns false when the server refuses it (no such server, read-only, not let in). */
  insert(row: number, done: Waiter["done"]): boolean {
    const isClosed = this.disk.gateClosed || this.quiesced?.someInsist === false;
    if (!this.answers || this.role !== "primary" || isClosed) return false;
    this.commit("row", row, false, done);
    return true;
  }

  /** A commit of the agent: `local` doesn't wait for standbys. Returns false when the server doesn't take it. */
  agentCommit(local: boolean, done: Waiter["done"]): boolean {
    if (!this.answers || this.role !== "primary") return false;
    this.commit("probe", 0, local, done);
    return true;
  }

  private commit(kind: "row" | "probe", row: number, local: boolean, done: Waiter["done"]): void {
    let open = true;
    const finish = (how: "acknowledged" | "lost"): void => {
      if (!open) return;
      open = false;
      this.sessions.delete(finish);
      done(how);
    };
    this.sessions.add(finish);
    if (this.diskFull) return this.world.after(1, this.process, () => finish("lost"));
    const record = this.append(kind, row);
    this.whenFlushed(record, () => {
      if (!open) return;
      const asynchronous = local || !this.waitingDefined;
      if (asynchronous || record.lsn <= this.releasedLsn) return this.acknowledge(record, asynchronous, finish);
      this.waiters.push({ record, sinceMs: this.world.nowMs, done: finish });
      this.release();
    });
  }

  private acknowledge(record: WalRecord, asynchronous: boolean, done: Waiter["done"]): void {
    if (record.kind === "row") {
      this.world.emit({ kind: "row-acknowledged", node: this.node, record, asynchronous });
    }
    done("acknowledged");
  }

  private append(kind: "row" | "probe" | "checkpoint" | "shutdown", row: number): WalRecord {
    const record = appendRecord(this.disk.written, kind, row);
    this.disk.written = record;
    this.lastMoveMs = this.world.nowMs;
    this.scheduleFlush();
    return record;
  }

  private readonly flushWaiters: { readonly record: WalRecord; readonly run: () => void }[] = [];

  private whenFlushed(record: WalRecord, run: () => void): void {
    this.flushWaiters.push({ record, run });
  }

  /** Group commit: one fsync carries everything written before it began. */
  scheduleFlush(): void {
    if (this.flushScheduled) return;
    this.flushScheduled = true;
    const upTo = (): void => {
      if (this.diskStuck) {
        this.world.after(50, this.process, upTo);
        return;
      }
      this.flushScheduled = false;
      this.flushed();
    };
    this.world.work(this.timing.fsyncMs * this.world.random.between(0.5, 1.5), this.process, upTo);
  }

  private flushed(): void {
    this.disk.flushed = this.disk.written;
    const { lsn } = this.disk.flushed;
    while (this.flushWaiters.length > 0 && (this.flushWaiters[0]?.record.lsn ?? 0) <= lsn) {
      this.flushWaiters.shift()?.run();
    }
    pumpSenders(this);
    this.receiver?.reply();
  }

  /** Called on every flush reply of a standby, and when the names change. */
  release(): void {
    if (this.namesInForce === null || this.waiters.length === 0) return;
    const lsn = grantedFlushLsn(this.namesInForce, this.senders);
    if (lsn <= this.releasedLsn) return;
    this.releasedLsn = lsn;
    while (this.waiters.length > 0 && (this.waiters[0]?.record.lsn ?? 0) <= lsn) {
      const waiter = this.waiters.shift();
      if (waiter !== undefined) this.acknowledge(waiter.record, false, waiter.done);
    }
  }

  /** What enough standbys of the names in force have flushed; −1 when they are not there. */
  syncedLsn(): number {
    return this.namesInForce === null ? -1 : grantedFlushLsn(this.namesInForce, this.senders);
  }

  /** `ALTER SYSTEM` and reload: processes see the change one after the other, the checkpointer last. */
  setNames(names: string): void {
    this.disk.names = names;
    if (!this.process.alive) return;
    const { random } = this.world;
    this.world.work(random.between(0.5, 4), this.process, () => {
      this.namesInForce = parseNames(names);
      this.release();
    });
    const checkpointerMs = random.chance(0.1) ? random.between(50, 600) : random.between(0.5, 6);
    this.world.work(checkpointerMs, this.process, () => this.checkpointerReloads());
  }

  private checkpointerReloads(): void {
    const defined = parseNames(this.disk.names).names.length > 0;
    this.waitingDefined = defined;
    if (defined) return;
    for (const waiter of this.waiters.splice(0)) this.acknowledge(waiter.record, true, waiter.done);
  }

  /** `primary_conninfo` and reload. A changed upstream ends the running receiver; clearing it alone does not. */
  setUpstream(upstream: string | null, applicationName: string): void {
    this.disk.upstream = upstream;
    this.disk.applicationName = applicationName;
    if (!this.answers || this.role !== "standby") return;
    if (upstream !== null) {
      this.receiver?.end();
      this.receiver = null;
      this.connectUpstream();
    }
  }

  /** `pg_terminate_backend` on the WAL receiver: it flushes what it has, and is gone. */
  terminateReceiver(done: () => void): void {
    const { receiver } = this;
    if (receiver === null) {
      this.disk.flushed = this.disk.written;
      done();
      return;
    }
    this.world.work(this.world.random.between(0.5, 8), this.process, () => {
      receiver.end();
      if (this.receiver === receiver) this.receiver = null;
      this.disk.flushed = this.disk.written;
      done();
    });
  }

  terminateSenders(matches: (sender: Sender) => boolean): void {
    for (const sender of this.senders.slice()) {
      if (matches(sender)) sender.end();
    }
  }

  connectUpstream(): void {
    if (!this.answers || this.role !== "standby" || this.receiver !== null || this.disk.upstream === null) return;
    const source = this.find(this.disk.upstream);
    if (source !== undefined) connectReceiver(this, source);
  }

  retryUpstream(): void {
    this.world.after(this.timing.walRetrieveRetryMs, this.process, () => this.connectUpstream());
  }

  /** `pg_promote`. Replays what is there, then opens the timeline after the highest that a history file names. */
  promote(done: () => void): void {
    if (this.role !== "standby") return;
    // Asked of a server that is stopped, it is done when it runs on.
    if (!this.answers) return this.world.after(25, this.process, () => this.promote(done));
    this.receiver?.end();
    this.receiver = null;
    this.replayPaused = false;
    const durationMs = this.timing.promoteMs * this.world.random.between(0.6, 2.5);
    this.world.work(durationMs, this.process, () => {
      const { disk } = this;
      const fork = disk.written;
      const opened = switchTimeline(fork, Math.max(disk.historyUpTo, fork.timeline) + 1);
      disk.written = opened;
      disk.flushed = opened;
      disk.historyUpTo = opened.timeline;
      disk.standbySignal = false;
      this.role = "primary";
      this.world.emit({ kind: "postgres-promoted", node: this.node, fork, opened });
      pumpSenders(this);
      this.onChange();
      done();
    });
  }

  /** Fast shutdown: sessions end, the shutdown checkpoint is written, and walsenders wait until it was received. */
  stopFast(): void {
    if (!this.process.alive || this.state !== "running") return;
    this.state = "stopping";
    this.terminateClients();
    if (this.role === "primary") this.append("shutdown", 0);
    const wait = (): void => {
      const behind = this.senders.some((sender) => sender.flushLsn < this.disk.written.lsn);
      if (this.role === "primary" && (behind || this.disk.flushed !== this.disk.written)) {
        this.world.after(2, this.process, wait);
        return;
      }
      this.world.kill(this.process);
    };
    this.world.work(this.world.random.between(3, 25), this.process, wait);
  }

  stopImmediate(): void {
    this.world.kill(this.process);
  }

  /** `pg_terminate_backend` on every client. One that comes back and insists on writing is let in: read-only is only the default. */
  terminateClients(): void {
    this.waiters.length = 0;
    this.flushWaiters.length = 0;
    for (const end of [...this.sessions]) end("lost");
    this.sessions.clear();
  }

  private died(how: "kill" | "power"): void {
    this.network.dropProcess(this.process, how);
    if (how === "power") this.losePowerUnsynced();
    this.state = "stopped";
    this.role = null;
    this.quiesced = null;
    this.receiver = null;
    this.senders = [];
    this.flushScheduled = false;
    this.leaseAsk = null;
    this.leaseVotes.clear();
    this.receiverEndedMs = this.world.nowMs;
    this.terminateClients();
    this.world.emit({ kind: "postgres-ended", node: this.node, how });
    this.onChange();
  }

  /** Somewhere between what was synced and what was written. */
  private losePowerUnsynced(): void {
    const { disk } = this;
    let kept = disk.written;
    while (kept !== disk.flushed && kept.previous !== null && this.world.random.chance(0.7)) kept = kept.previous;
    disk.written = kept;
    disk.flushed = kept;
  }

  private keepHouse(): void {
    keepAliveSenders(this);
    const silentMs = this.world.nowMs - (this.receiver?.lastMessageMs ?? this.world.nowMs);
    if (this.receiver !== null && silentMs > this.timing.walReceiverTimeoutMs) {
      this.receiver.end();
      this.receiverGone();
    }
    this.world.after(1_000, this.process, () => this.keepHouse());
  }

  receiverGone(): void {
    this.receiver = null;
    this.receiverEndedMs = this.world.nowMs;
    this.onChange();
    this.retryUpstream();
  }
}
