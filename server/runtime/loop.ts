import type {
  Actor,
  Decision,
  Event,
  NodeRecord,
  Now,
  OperatorRequest,
  Policy,
  Reply,
  State,
  TimelineEntry,
  Write,
} from "../core/index.ts";
import type { AgentLink } from "../ports/agent-link.ts";
import type { Clock } from "../ports/clock.ts";
import type { CommitOutcome, Store } from "../ports/store.ts";
import type { Core } from "./core-port.ts";
import { withDeadline } from "./deadline.ts";
import { allEntities, fillDurable } from "./durable-state.ts";
import { startLagMeter } from "./lag-meter.ts";
import { LeaseRenewals } from "./lease-renewals.ts";
import { Mailbox } from "./mailbox.ts";
import { Outbox } from "./outbox.ts";
import { isUrgent } from "./publisher.ts";
import { refusal, Waiting } from "./waiting.ts";

const tickMs = 250;
const probeMs = 500;
/** A commit that has not answered by then counts as `unknown`: the durable state is read again before anything else. */
const commitDeadlineMs = 10_000;
/** Events whose loss would lose a fact, kept while the store is away. */
const retainedLimit = 5_000;

/** What became visible: entity keys and new timeline entries. `durable` ones can't wait for the next frame, `urgent` ones not for long. */
export interface Published {
  readonly touched: ReadonlySet<string>;
  readonly durable: boolean;
  readonly timeline: readonly TimelineEntry[];
  readonly originWallMs: number;
  readonly urgent?: boolean;
}

export interface LoopParts {
  readonly state: State;
  readonly core: Core;
  readonly store: Store;
  readonly clock: Clock;
  readonly link: AgentLink;
  /** Who leads, for the store's lease row. */
  readonly owner: string;
  readonly policyOverrides: Partial<Policy>;
  publish(published: Published): void;
  /** Another leader has taken over: end the process. Nothing is acted on after this. */
  onConflict(detail: string): void;
  log(level: "info" | "warn" | "error", message: string, detail?: Readonly<Record<string, unknown>>): void;
  /** Event → sent, milliseconds, for each batch that sent or committed. */
  observe?(figures: {
    readonly batch: number;
    readonly decideMs: number;
    readonly commitMs: number;
    readonly writes: number;
  }): void;
}

/**
 * The one loop: takes what has arrived, stamps it once, lets the core decide, commits, and only then acts.
 * A decision whose commit failed leaves no trace: nothing is sent, answered, acknowledged or shown as done.
 */
export class ControlLoop {
  readonly #parts: LoopParts;
  readonly #mailbox = new Mailbox();
  readonly #outbox: Outbox;
  readonly #waiting = new Waiting();
  readonly #leases: LeaseRenewals;
  #retained: Event[] = [];
  #leaderEpoch: number | null = null;
  #storeLost = false;
  #running = false;
  #scheduled = false;
  #stopped = false;
  #nextTickMs = 0;
  #wishMs = Number.POSITIVE_INFINITY;
  #cancelWake: () => void = () => {};
  #cancelProbe: () => void = () => {};
  #stopLagMeter: () => void = () => {};

  constructor(parts: LoopParts) {
    this.#parts = parts;
    this.#outbox = new Outbox(parts.state, parts.link);
    this.#leases = new LeaseRenewals(parts);
  }

  get mailboxDepth(): number {
    return this.#mailbox.depth;
  }

  get dropped(): number {
    return this.#mailbox.dropped;
  }

  /** True once the durable state has been read and the lead is ours. */
  get isReady(): boolean {
    return this.#leaderEpoch !== null && !this.#stopped;
  }

  get storeAvailable(): boolean {
    return this.isReady && !this.#storeLost;
  }

  /** Takes the lead and loads. With the store away it goes on trying; what needs no store runs meanwhile. */
  async start(): Promise<void> {
    const { clock, state } = this.#parts;
    state.live.self.startedAtMs = clock.monoMs();
    this.#stopLagMeter = startLagMeter(clock, {
      lag: (lagMs) => {
        state.live.self.loopLagMs = lagMs;
      },
      stalled: (fromMs, toMs) => {
        this.#mailbox.pushFirst({ kind: "stall-noticed", fromMs, toMs });
        this.#schedule();
      },
    });
    await this.#takeLead();
    this.#wakeAt(null);
  }

  async stop(): Promise<void> {
    this.#halt();
    while (this.#running) await new Promise<void>((resolve) => this.#parts.clock.setTimer(resolve, 5));
  }

  /** False when the mailbox is full or the loop has stopped. */
  post(event: Event): boolean {
    if (this.#stopped || !this.#mailbox.push(event)) return false;
    this.#schedule();
    return true;
  }

  /** Answers after the commit. Without a store it is refused at once: no action without a committed intent. */
  request(actor: Actor, request: OperatorRequest): Promise<Reply> {
    const requestId = this.#parts.clock.entropy();
    if (!this.storeAvailable) return Promise.resolve(refusal(requestId, "store-unavailable"));
    const reply = this.#waiting.forReply(requestId);
    const posted = this.post({ kind: "operator-requested", requestId, actor, request });
    if (!posted) this.#waiting.answer(refusal(requestId, "overloaded"));
    return reply;
  }

  /** Resolves true when the node is committed, false when the store refused. */
  enrol(node: NodeRecord): Promise<boolean> {
    if (!this.storeAvailable) return Promise.resolve(false);
    const committed = this.#waiting.forEnrolment(node.id);
    if (!this.post({ kind: "node-enrolled", node })) this.#waiting.settleEnrolment(node.id, false);
    return committed;
  }

  #schedule(): void {
    if (this.#scheduled || this.#running || this.#stopped) return;
    this.#scheduled = true;
    this.#parts.clock.soon(() => {
      this.#scheduled = false;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#running || this.#stopped) return;
    this.#running = true;
    try {
      while (this.#mailbox.depth > 0 && !this.#stopped) await this.#step(this.#mailbox.drain());
    } catch (error) {
      this.#parts.log("error", "The loop failed on a batch and went on with the next one.", { error: String(error) });
    } finally {
      this.#running = false;
      if (this.#mailbox.depth > 0) this.#schedule();
    }
  }

  async #step(events: readonly Event[]): Promise<void> {
    const batch = this.storeAvailable ? events : this.#keepForLater(events);
    if (batch.length === 0) return;
    const { clock, core, state } = this.#parts;
    const now: Now = { monoMs: clock.monoMs(), wallMs: clock.wallMs(), entropy: clock.entropy() };
    let decision: Decision;
    try {
      decision = core.decide(state, batch, now);
    } catch (error) {
      return this.#isolate(batch, error);
    }
    const decidedAtMs = clock.monoMs();
    if (decision.writes.length === 0) this.#act(batch, decision, [], now);
    else if (this.storeAvailable) await this.#commitAndAct(batch, decision, now);
    else this.#showLive(decision, now);
    const committedAtMs = clock.monoMs();
    this.#parts.observe?.({
      batch: batch.length,
      writes: decision.writes.length,
      decideMs: decidedAtMs - now.monoMs,
      commitMs: committedAtMs - decidedAtMs,
    });
    this.#wakeAt(decision.wakeAtMs);
  }

  /** A batch that broke an invariant is tried event by event, so that one bad event can't take its neighbours along. */
  async #isolate(batch: readonly Event[], error: unknown): Promise<void> {
    if (batch.length > 1) {
      for (const event of batch) await this.#step([event]);
      return;
    }
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#parts.log("error", "An invariant of the core failed; the event was not applied.", { event: batch[0], stack });
    this.#waiting.refuse(batch, "internal");
  }

  async #commitAndAct(batch: readonly Event[], decision: Decision, now: Now): Promise<void> {
    const outcome = await this.#commit(decision.writes);
    if (this.#stopped) return;
    if (outcome.ok) {
      this.#parts.core.applyWrites(this.#parts.state, decision.writes);
      this.#act(batch, decision, outcome.timeline, now);
      return;
    }
    switch (outcome.code) {
      case "conflict":
        this.#waiting.refuse(batch, "not-leader");
        this.#halt();
        this.#parts.onConflict(outcome.detail);
        return;
      case "unknown":
        this.#leaderEpoch = null;
        this.#loseStore(batch, outcome.detail, "outcome-unknown");
        return;
      case "unavailable":
        this.#loseStore(batch, outcome.detail, "store-unavailable");
        return;
      default:
        outcome.code satisfies never;
    }
  }

  async #commit(writes: readonly Write[]): Promise<CommitOutcome> {
    const late: CommitOutcome = { ok: false, code: "unknown", detail: "the store did not answer in time" };
    try {
      const commit = this.#parts.store.commit(this.#leaderEpoch as number, writes);
      return await withDeadline(this.#parts.clock, commit, commitDeadlineMs, late);
    } catch (error) {
      return { ok: false, code: "unknown", detail: String(error) };
    }
  }

  /** After the commit: send, acknowledge, answer, show. In this order, because a send is what somebody waits for. */
  #act(batch: readonly Event[], decision: Decision, timeline: readonly TimelineEntry[], now: Now): void {
    const { link, clock } = this.#parts;
    for (const command of decision.send) this.#outbox.send(command, clock.monoMs());
    for (const result of decision.acknowledge) link.acknowledge(result.node, result.commandId);
    for (const reply of decision.replies) this.#waiting.answer(reply);
    for (const event of batch) this.#afterEvent(event);
    for (const write of decision.writes) {
      if (write.kind === "put-node" && write.value.revokedAt !== null) link.drop(write.value.id, "key-revoked");
    }
    const durable = decision.writes.length > 0;
    this.#leases.take(decision.renewals ?? [], this.#leaderEpoch, durable);
    // Signing and sending go first; making views of it all can wait for the next turn.
    clock.soon(() => {
      const { touched } = decision;
      this.#parts.publish({ touched, durable, timeline, originWallMs: now.wallMs, urgent: batch.some(isUrgent) });
    });
    if (durable) link.refreshPeers();
  }

  #afterEvent(event: Event): void {
    if (event.kind === "agent-connected" && this.storeAvailable) {
      this.#outbox.resendTo(event.node, this.#parts.clock.monoMs());
    } else if (event.kind === "node-enrolled") {
      const stored = this.#parts.state.durable.nodes.get(event.node.id);
      this.#waiting.settleEnrolment(event.node.id, stored?.publicKey === event.node.publicKey);
    } else if (event.kind === "ticked" && this.storeAvailable) {
      this.#outbox.sweep(this.#parts.clock.monoMs());
    } else if (event.kind === "operator-requested") {
      // A core that forgot to answer must not leave a person waiting.
      this.#waiting.answer(refusal(event.requestId, "internal"));
    }
  }

  /** Without a store: what was observed is shown, what would have to be committed is left undone. */
  #showLive(decision: Decision, now: Now): void {
    this.#parts.publish({ touched: decision.touched, durable: false, timeline: [], originWallMs: now.wallMs });
  }

  #loseStore(batch: readonly Event[], detail: string, code: string): void {
    const wasLost = this.#storeLost;
    this.#storeLost = true;
    this.#waiting.refuse(batch, code);
    this.#keepForLater(batch);
    if (wasLost) return;
    this.#parts.log("error", "The database can't be written; detection goes on, no action begins until it is back.", {
      detail,
    });
    this.#mailbox.pushFirst({ kind: "store-lost" });
    this.#probeLater();
  }

  /** Keeps the facts that nobody repeats and answers with those that only observe. */
  #keepForLater(events: readonly Event[]): Event[] {
    const now: Event[] = [];
    for (const event of events) {
      switch (event.kind) {
        case "command-finished":
        case "signal-recorded":
          // Beyond the limit nothing is lost either: results stay unacknowledged and come again, signals stay in the records.
          if (this.#retained.length < retainedLimit) this.#retained.push(event);
          break;
        case "operator-requested":
          this.#waiting.answer(refusal(event.requestId, "store-unavailable"));
          break;
        case "node-enrolled":
          this.#waiting.settleEnrolment(event.node.id, false);
          break;
        default:
          now.push(event);
      }
    }
    return now;
  }

  #probeLater(): void {
    this.#cancelProbe();
    this.#cancelProbe = this.#parts.clock.setTimer(() => void this.#probe(), probeMs);
  }

  async #probe(): Promise<void> {
    if (this.#stopped) return;
    const available = await this.#parts.store.isAvailable().catch(() => false);
    if (available && this.#leaderEpoch === null) return this.#takeLead();
    if (!available) return this.#probeLater();
    this.#regainStore();
  }

  #regainStore(): void {
    const retained = this.#retained.splice(0);
    this.#storeLost = false;
    this.#parts.log("info", "The database is back.", { heldEvents: retained.length });
    this.#mailbox.pushFirst({ kind: "store-returned" });
    for (const event of retained) this.#mailbox.push(event);
    this.#parts.clock.setTimer(() => {
      if (this.storeAvailable) this.#outbox.sweep(this.#parts.clock.monoMs());
    }, 0);
    this.#schedule();
  }

  /** Reads everything again: at the start, and after a commit whose outcome is not known. */
  async #takeLead(): Promise<void> {
    const { store, state, owner, log, clock } = this.#parts;
    try {
      const leaderEpoch = await store.lead(owner);
      fillDurable(state, await store.load(), this.#parts.policyOverrides);
      if (this.#stopped) return;
      this.#leaderEpoch = leaderEpoch;
      if (this.#storeLost) this.#regainStore();
      this.#parts.publish({ touched: allEntities(state), durable: true, timeline: [], originWallMs: clock.wallMs() });
    } catch (error) {
      if (!this.#storeLost) {
        log("error", "The database can't be reached; serving without it and trying again.", { detail: String(error) });
        this.#storeLost = true;
        this.#mailbox.pushFirst({ kind: "store-lost" });
        this.#schedule();
      }
      this.#probeLater();
    }
  }

  /**
   * The earliest of the core's wishes or the next tick, whichever comes first. Ticks have their own rhythm: no traffic pushes them
   * away. A wish stays until a tick has looked at everything: a later batch judged only what it touched.
   */
  #wakeAt(wakeAtMs: number | null): void {
    if (this.#stopped) return;
    const { clock } = this.#parts;
    this.#wishMs = Math.min(this.#wishMs, wakeAtMs ?? Number.POSITIVE_INFINITY);
    this.#cancelWake();
    const delayMs = Math.max(1, Math.min(this.#nextTickMs, this.#wishMs) - clock.monoMs());
    this.#cancelWake = clock.setTimer(() => {
      const firedMs = clock.monoMs();
      if (firedMs >= this.#nextTickMs) this.#nextTickMs = firedMs + tickMs;
      this.#wishMs = Number.POSITIVE_INFINITY;
      this.post({ kind: "ticked" });
      this.#wakeAt(null);
    }, delayMs);
  }

  #halt(): void {
    this.#stopped = true;
    this.#cancelWake();
    this.#cancelProbe();
    this.#stopLagMeter();
    this.#leases.stop();
    this.#waiting.refuseAll("stopping");
  }
}
