import type { PostgresStatus, SyncConfiguration } from "../../../server/core/index.ts";
import {
  askNumber,
  judgeLease,
  type LeaseBook,
  leaseLeftMs,
  mayBegin,
  mayFeed,
  mayRenew,
  openLease,
  renewLease,
} from "../../fence/lease.ts";
import { Repeater } from "../../shared/repeater.ts";
import { messageOf, monotonicMs, poll } from "../../shared/time.ts";
import type { Watchdog } from "../../shared/watchdog.ts";
import type { PostgresInstance } from "./instance.ts";
import { LeaseAsker, LeaseRenewer } from "./lease-link.ts";
import { endSessions, makeReadOnly, makeWritable } from "./sessions.ts";
import { fencedSettings } from "./settings.ts";
import { Failure } from "./verbs/context.ts";

const lookMs = 250;
const beginWaitMs = 3_000;
/** A watchdog that takes longer than this share of the lease to bite could not be fed even on a good day. */
const longestBiteShare = 0.6;

/**
 * Keeps an asynchronous primary within its lease: asks for it, and when it runs out ends the sessions, then stops the server. On a standby
 * it renews the lease of the primary that it follows. In synchronous mode it looks at one field four times a second and does nothing.
 */
export class LeaseKeeper {
  readonly #instance: PostgresInstance;
  readonly #watchdog: Watchdog | null;
  readonly #asker: LeaseAsker;
  readonly #renewer: LeaseRenewer;
  readonly #loop = new Repeater(lookMs, () => this.#look());
  #book: LeaseBook | null = null;
  #heldLsn = 0;
  #lastLsn = 0;
  #exchanging = false;
  #stopping = false;
  #ending = false;
  #readOnly = false;

  constructor(instance: PostgresInstance, watchdog: Watchdog | null) {
    this.#instance = instance;
    this.#watchdog = watchdog;
    this.#asker = new LeaseAsker(() => instance.target("holdfast lease"));
    this.#renewer = new LeaseRenewer(({ host, port }) => ({ ...instance.target("holdfast lease"), host, port }));
  }

  start(): void {
    this.#loop.start();
  }

  /** The watchdog of a primary that runs on stays awake: whoever looks after it next has to feed it. */
  stop(): void {
    this.#loop.stop();
    this.#asker.drop();
    this.#renewer.drop();
  }

  /** What a heartbeat says of it; each is a request of its own. */
  status(nowMs: number): Pick<PostgresStatus, "lease" | "watchdog"> {
    const book = this.#open(nowMs);
    return {
      ...(book === null
        ? {}
        : { lease: { epoch: book.epoch, ask: askNumber(nowMs), leftMs: Math.round(leaseLeftMs(book, nowMs)) } }),
      ...(this.#usable() === null ? {} : { watchdog: true }),
    };
  }

  renewedByControl(renewal: { readonly epoch: number; readonly ask: number }): void {
    this.#renew(null, renewal);
  }

  /** Whether a server may begin as a primary without anybody being asked. */
  mayBegin(configuration: SyncConfiguration): boolean {
    if (configuration.lease === undefined) return true;
    const nowMs = monotonicMs();
    const book = this.#open(nowMs);
    return book !== null && mayBegin(book, nowMs);
  }

  /** Before anything begins as an asynchronous primary: waits for the lease and wakes the watchdog. @throws Failure without one */
  async waitToBegin(configuration: SyncConfiguration): Promise<void> {
    if (configuration.lease === undefined) return;
    this.#instance.host.changed();
    const options = { intervalMs: 20, deadlineMs: beginWaitMs };
    if ((await poll(() => (this.mayBegin(configuration) ? true : null), options)) === null) {
      throw new Failure("no-lease", `nobody granted this member a lease within ${beginWaitMs} ms`);
    }
    try {
      this.#usable()?.feed();
    } catch (error) {
      throw new Failure("no-watchdog", `the watchdog could not be opened: ${messageOf(error)}`);
    }
  }

  #usable(): Watchdog | null {
    const terms = this.#book?.terms ?? this.#instance.host.fence().configurations.at(-1)?.lease;
    const fits = terms === undefined || (this.#watchdog?.biteMs ?? 0) <= terms.durationMs * longestBiteShare;
    return fits ? this.#watchdog : null;
  }

  /** A new grant begins with what the server has now: its standbys were sealed there. */
  #open(nowMs: number): LeaseBook | null {
    const before = this.#book;
    this.#book = openLease(this.#instance.host.fence(), before, nowMs);
    if (this.#book !== null && this.#book.epoch !== before?.epoch) {
      this.#heldLsn = 0;
      this.#lastLsn = 0;
    }
    return this.#book;
  }

  #renew(by: string | null, renewal: { readonly epoch: number; readonly ask: number }): void {
    if (this.#book !== null) this.#book = renewLease(this.#book, { by, ...renewal }, monotonicMs());
  }

  async #look(): Promise<void> {
    const nowMs = monotonicMs();
    const book = this.#open(nowMs);
    if (book === null) return this.#renewPrimary();
    const isPrimary = await this.#runsAsPrimary();
    if (isPrimary) await this.#obey(book, nowMs);
    this.#feed(book, isPrimary);
    if (isPrimary) void this.#exchange(book);
  }

  /** No lease is in force here, and no server runs on that was deposed and is still to be stopped. */
  async #isOver(): Promise<boolean> {
    const { kind } = this.#instance.host.fence().standing;
    return kind === "primary" || kind === "demoted" || !(await this.#runsAsPrimary());
  }

  /** A server that does not answer yet is what its signal file makes of it. */
  async #runsAsPrimary(): Promise<boolean> {
    const { running, monitor, data } = this.#instance;
    if (!running) return false;
    return monitor.status === null ? !(await data.hasStandbySignal()) : !monitor.status.recovery;
  }

  /** Not waited for: a server that does not answer must not hold the timer up. */
  async #exchange(book: LeaseBook): Promise<void> {
    if (this.#exchanging) return;
    this.#exchanging = true;
    try {
      const ask = askNumber(monotonicMs());
      for (const renewal of await this.#asker.exchange({ epoch: book.epoch, ask })) this.#renew(renewal.node, renewal);
    } catch {
      // Its own probes say that it does not answer; the control plane renews without it.
    } finally {
      this.#exchanging = false;
    }
  }

  async #renewPrimary(): Promise<void> {
    if (this.#watchdog !== null && (await this.#isOver())) this.#watchdog.disarm();
    const { host, service } = this.#instance;
    const { standing, configurations } = host.fence();
    if (standing.kind !== "standby" || configurations.at(-1)?.lease === undefined) {
      this.#renewer.drop();
      return;
    }
    await this.#renewer
      .renew(standing.primary, service.node, (epoch) => mayRenew(host.fence(), epoch))
      .catch(() => {
        this.#renewer.drop();
      });
  }

  async #obey(book: LeaseBook, nowMs: number): Promise<void> {
    const verdict = judgeLease(book, this.#advance(), nowMs);
    if (verdict === "keep") return this.#letWrite();
    if (verdict === "read-only") {
      // Not waited for: a server that hangs must not put off its own stop.
      void this.#endSessions();
      return;
    }
    if (this.#stopping) return;
    this.#stopping = true;
    this.#readOnly = false;
    const { host } = this.#instance;
    host.log("error", "the lease of this asynchronous primary is over; PostgreSQL is stopped", { epoch: book.epoch });
    host.signal("lease-over", { epoch: book.epoch, leftMs: Math.round(leaseLeftMs(book, nowMs)) });
    try {
      await this.#instance.stopFenced();
      // As a standby of nobody it can say where its WAL ends. A verb that is under way sees to its server itself.
      if (!this.#instance.busy) await this.#instance.startStandby(fencedSettings, { wait: false });
    } finally {
      this.#stopping = false;
    }
  }

  #advance(): { readonly lagBytes: number; readonly grownBytes: number } {
    const status = this.#instance.monitor.status;
    const lsn = status?.flushLsn ?? this.#lastLsn;
    if (this.#lastLsn === 0) this.#lastLsn = lsn;
    const held = (status?.replication ?? []).map((row) => row.flushLsn ?? 0);
    this.#heldLsn = Math.max(this.#heldLsn === 0 ? lsn : this.#heldLsn, ...held);
    const grownBytes = Math.max(0, lsn - this.#lastLsn);
    this.#lastLsn = lsn;
    return { lagBytes: Math.max(0, lsn - this.#heldLsn), grownBytes };
  }

  /** New sessions can only read unless they insist. */
  async #endSessions(): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    try {
      if (!this.#readOnly) await makeReadOnly(this.#instance);
      this.#readOnly = true;
      await endSessions(await this.#instance.control(400), 400);
    } catch (error) {
      this.#instance.host.log("warn", "sessions could not be ended; PostgreSQL is stopped soon", {
        error: messageOf(error),
      });
    } finally {
      this.#ending = false;
    }
  }

  async #letWrite(): Promise<void> {
    if (!this.#readOnly) return;
    this.#readOnly = false;
    await makeWritable(this.#instance);
  }

  /** It sleeps while no primary runs here; a verb that makes one of this server has woken it already. */
  #feed(book: LeaseBook, isPrimary: boolean): void {
    const watchdog = this.#usable();
    if (watchdog === null) return;
    try {
      if (!isPrimary && !this.#instance.busy) watchdog.disarm();
      else if (mayFeed(book, watchdog.biteMs, monotonicMs())) watchdog.feed();
    } catch (error) {
      this.#instance.host.log("error", "the watchdog could not be fed", { error: messageOf(error) });
    }
  }
}
