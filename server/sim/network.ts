import type { Host, Process, Scheduler } from "./world.ts";

/**
 * TCP as processes see it: a reliable ordered stream while both ends live and packets pass. A cut link is silent (segments
 * wait, and arrive after the heal unless a timeout ended the connection first); a killed process sends FIN; a host without
 * power says nothing, and answers RST once it is back. Loss shows as delay, as it does on a real stream. What was written before a
 * close still goes out behind it, as from a kernel that keeps the orphaned socket.
 *
 * Within one connection TCP forbids a message twice, out of order, or with one before it missing, so nothing here does that. Over two
 * connections all of it happens: one stream may be stuck while another passes, and what went into a connection that ended is told again.
 */
export type ConnectFailure = "refused" | "timeout";

export interface Side<M> {
  readonly process: Process;
  readonly incarnation: number;
  readonly peer: Side<M>;
  closed: boolean;
  onMessage: (message: M) => void;
  /** `closed`: FIN or RST came in. `timeout`: own user timeout. Not called for one's own `close`. */
  onClose: (reason: "closed" | "timeout") => void;
  send(message: M): void;
  close(): void;
}

export interface Link {
  /** One-way delay, milliseconds. */
  latencyMs: number;
  jitterMs: number;
  /** Share of messages that are lost once and retransmitted after 200 ms. */
  loss: number;
  blocked: number;
}

/** First retransmission of a lost segment, and the limit of the doubling distance between two: Linux. */
const RETRANSMIT_MS = 200;
const SLOWEST_RETRANSMIT_MS = 120_000;
/** Linux gives an unacknowledged connection up after `tcp_retries2` = 15 retransmissions, when the program set no user timeout. */
export const kernelGivesUpMs = 924_600;
const FIN = Symbol("fin");
type Packet = { readonly message: unknown; readonly seq: number };

class SideImpl implements Side<unknown> {
  closed = false;
  peer!: SideImpl;
  onMessage: (message: unknown) => void = () => {};
  onClose: (reason: "closed" | "timeout") => void = () => {};
  readonly incarnation: number;
  readonly stalled: Packet[] = [];
  stalledSinceMs = 0;
  lastArrivalMs = 0;
  sent = 0;
  /** Packets that have arrived in their turn, and those that came before their turn: one before them is being sent again. */
  arrived = 0;
  readonly early = new Map<number, Packet>();
  /** This stream alone is held up on its way; holds nest. */
  held = 0;

  constructor(
    readonly network: Network,
    readonly process: Process,
    readonly userTimeoutMs: number,
  ) {
    this.incarnation = process.incarnation;
  }

  send(message: unknown): void {
    if (!this.closed) this.network.transmit(this, { message, seq: this.sent++ });
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.network.forget(this);
    this.network.transmit(this, { message: FIN, seq: this.sent++ });
  }
}

export interface Listener<M> {
  readonly process: Process;
  readonly accept: (side: Side<M>) => void;
}

export class Network {
  private readonly links = new Map<string, Link>();
  private readonly listeners = new Map<string, Listener<never>>();
  private readonly sides = new Set<SideImpl>();

  constructor(readonly world: Scheduler) {}

  link(from: string, to: string): Link {
    const key = `${from}>${to}`;
    let link = this.links.get(key);
    if (link === undefined) {
      link = { latencyMs: from === to ? 0.03 : 0.25, jitterMs: from === to ? 0.02 : 0.2, loss: 0, blocked: 0 };
      this.links.set(key, link);
    }
    return link;
  }

  /** Cuts one direction; cuts nest, so that overlapping faults heal one by one. */
  block(from: string, to: string): void {
    this.link(from, to).blocked++;
  }

  unblock(from: string, to: string): void {
    const link = this.link(from, to);
    link.blocked = Math.max(0, link.blocked - 1);
    if (link.blocked > 0) return;
    for (const side of [...this.sides]) {
      if (side.process.host.name === from && side.peer.process.host.name === to) this.retransmit(side);
    }
  }

  /**
   * Holds up what goes from one process to the other over the connections that they have now, while new connections pass: a router that
   * lost one flow, or a path of several that is broken. Answers with what lets it go on.
   */
  holdStreams(from: Process, to: Process): () => void {
    const streams = this.streams(from, to);
    for (const side of streams) side.held++;
    return () => {
      for (const side of streams) {
        side.held--;
        this.retransmit(side);
      }
    };
  }

  /** Whether a stream from one to the other is held up. */
  isHeld(from: Process, to: Process): boolean {
    return this.streams(from, to).some((side) => side.held > 0);
  }

  /** A middlebox has forgotten their connections: `told` gets RST; the other end hears of it when it sends. */
  resetStreams(told: Process, other: Process): void {
    for (const side of this.streams(told, other)) this.reset(side);
  }

  private streams(from: Process, to: Process): SideImpl[] {
    return [...this.sides].filter((side) => side.process === from && side.peer.process === to && !side.closed);
  }

  passes(from: string, to: string): boolean {
    return this.link(from, to).blocked === 0;
  }

  listen<M>(host: string, service: string, listener: Listener<M>): void {
    this.listeners.set(`${host}/${service}`, listener as unknown as Listener<never>);
  }

  /** Dials; exactly one of the callbacks comes back in the caller's process. */
  connect<M>(
    from: Process,
    to: { readonly host: Host; readonly service: string },
    options: { readonly userTimeoutMs: number; readonly connectTimeoutMs: number },
    opened: (side: Side<M>) => void,
    failed: (reason: ConnectFailure) => void,
  ): void {
    const there = from.host.name;
    const here = to.host.name;
    const roundTripMs = this.delay(there, here) + this.delay(here, there);
    const passes = this.passes(there, here) && this.passes(here, there) && to.host.up;
    if (!passes) {
      this.world.after(options.connectTimeoutMs, from, () => failed("timeout"));
      return;
    }
    this.world.after(roundTripMs, from, () => {
      const listener = this.listeners.get(`${here}/${to.service}`) as Listener<M> | undefined;
      if (listener?.process.alive !== true) return failed("refused");
      const mine = new SideImpl(this, from, options.userTimeoutMs);
      const theirs = new SideImpl(this, listener.process, options.userTimeoutMs);
      mine.peer = theirs;
      theirs.peer = mine;
      this.sides.add(mine).add(theirs);
      // The kernel completes the handshake even for a stopped process; `accept` waits until it runs.
      this.world.after(0, listener.process, () => {
        if (!theirs.closed) listener.accept(theirs as unknown as Side<M>);
      });
      opened(mine as unknown as Side<M>);
    });
  }

  /** Ends every connection of a process that died. */
  dropProcess(process: Process, how: "kill" | "power"): void {
    for (const side of [...this.sides]) {
      if (side.process !== process) continue;
      if (how === "kill") side.close();
      else {
        side.closed = true;
        this.sides.delete(side);
      }
    }
  }

  forget(side: SideImpl): void {
    if (side.stalled.length === 0) this.sides.delete(side);
  }

  transmit(side: SideImpl, packet: Packet): void {
    if (side.stalled.length > 0) {
      side.stalled.push(packet);
      return;
    }
    const from = side.process.host.name;
    const to = side.peer.process.host.name;
    const at = Math.max(this.world.nowMs + this.delay(from, to), side.lastArrivalMs);
    side.lastArrivalMs = at;
    this.world.after(at - this.world.nowMs, null, () => this.arrive(side, packet, from, to));
  }

  private arrive(side: SideImpl, packet: Packet, from: string, to: string): void {
    const { peer } = side;
    if (side.stalled.length > 0 || side.held > 0 || !this.passes(from, to)) {
      this.stall(side, packet);
      return;
    }
    if (!peer.process.host.up) return;
    if (packet.seq !== side.arrived) {
      side.early.set(packet.seq, packet);
      return;
    }
    side.arrived++;
    this.take(side, packet);
    const next = side.early.get(side.arrived);
    if (next === undefined) return;
    side.early.delete(next.seq);
    this.arrive(side, next, from, to);
  }

  private take(side: SideImpl, packet: Packet): void {
    const { peer } = side;
    if (peer.closed || peer.process.incarnation !== peer.incarnation) {
      if (packet.message !== FIN) this.reset(side);
      return;
    }
    if (packet.message === FIN) {
      this.end(peer, "closed");
      return;
    }
    if (peer.process.frozen) peer.process.deferred.push(() => this.handOver(peer, packet));
    else this.handOver(peer, packet);
  }

  private handOver(side: SideImpl, packet: Packet): void {
    if (!side.closed) side.onMessage(packet.message);
  }

  /** RST: the other end doesn't know this connection. */
  private reset(side: SideImpl): void {
    this.world.after(0.3, null, () => this.end(side, "closed"));
  }

  private end(side: SideImpl, reason: "closed" | "timeout"): void {
    if (side.closed || side.process.incarnation !== side.incarnation) return;
    const finish = (): void => {
      if (side.closed) return;
      side.closed = true;
      this.sides.delete(side);
      side.onClose(reason);
    };
    if (side.process.frozen) side.process.deferred.push(finish);
    else finish();
  }

  private stall(side: SideImpl, packet: Packet): void {
    if (side.stalled.length === 0) {
      side.stalledSinceMs = this.world.nowMs;
      const since = side.stalledSinceMs;
      this.sides.add(side);
      this.world.after(side.userTimeoutMs, null, () => {
        if (side.stalled.length === 0 || side.stalledSinceMs !== since) return;
        side.stalled.length = 0;
        this.sides.delete(side);
        this.end(side, "timeout");
      });
    }
    // What was under way together is cut together, but not at the same moment: the stream keeps its order.
    let index = side.stalled.length;
    while (index > 0 && (side.stalled[index - 1] as Packet).seq > packet.seq) index--;
    side.stalled.splice(index, 0, packet);
  }

  /** The way is free again: the sender notices at its next retransmission, unless it gives the connection up before that. */
  private retransmit(side: SideImpl): void {
    if (side.stalled.length === 0 || side.held > 0) return;
    const stalledForMs = this.world.nowMs - side.stalledSinceMs;
    const waitMs = nextRetransmissionMs(stalledForMs) - stalledForMs;
    if (stalledForMs + waitMs > side.userTimeoutMs) return;
    const packets = side.stalled.splice(0);
    side.lastArrivalMs = this.world.nowMs + waitMs;
    for (const packet of packets) this.transmit(side, packet);
    if (side.closed) this.sides.delete(side);
  }

  private delay(from: string, to: string): number {
    const link = this.link(from, to);
    const { random } = this.world;
    const lostMs = link.loss > 0 && random.chance(link.loss) ? RETRANSMIT_MS : 0;
    return link.latencyMs + random.next() * link.jitterMs + lostMs;
  }
}

/** When, counted from the loss, a segment is sent again for the first time after `afterMs`; milliseconds. */
export function nextRetransmissionMs(afterMs: number): number {
  let distanceMs = RETRANSMIT_MS;
  let atMs = distanceMs;
  while (atMs <= afterMs) {
    distanceMs = Math.min(SLOWEST_RETRANSMIT_MS, distanceMs * 2);
    atMs += distanceMs;
  }
  return atMs;
}
