import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { CommandRecord, LeaseRenewal } from "../core/index.ts";
import type { AgentLink } from "../ports/agent-link.ts";
import type { Store } from "../ports/store.ts";
import type { TelemetryStore } from "../ports/telemetry.ts";
import { limits, type RefusedParts } from "../protocol/index.ts";
import { AgentSession } from "./agent-session.ts";
import { ClusterScope } from "./cluster-scope.ts";
import type { HandshakeParts } from "./handshake.ts";
import { RefusalLedger } from "./refusal-ledger.ts";
import { refuseUpgrade } from "./refuse-upgrade.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Sockets that have not proved a key yet; about 1,000 handshakes pass in a second. */
const pendingLimit = 4_000;
/** The same for one remote address: a single stranger must not fill the places of all. Hosts behind one address are admitted in turn. */
const pendingAtAddressLimit = 64;
const sessionLimit = 30_000;
const keepAliveMs = 5_000;
/** After this long without a frame a session is given up. Liveness is judged long before, by the core. */
const giveUpMs = 60_000;
const sweepMs = 5_000;
const peersMs = 100;
/** What one agent may put into the store. Its spool waits on its own disk meanwhile. */
const recordsPerSecond = 2_000;
const recordsBurst = 4_000;

export interface AgentHubParts extends Omit<HandshakeParts, "enrolling"> {
  readonly store: Store;
  readonly telemetry: Pick<TelemetryStore, "take">;
  log(message: string, detail: Readonly<Record<string, unknown>>): void;
}

/** All agents' connections, by node. The newest session of a node is the one that counts. */
export class AgentHub implements AgentLink {
  readonly #parts: AgentHubParts;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.maxFrameBytes,
    perMessageDeflate: false,
    clientTracking: false,
  });
  readonly #live = new Map<string, AgentSession>();
  readonly #all = new Set<AgentSession>();
  /** Sockets that have not proved a key yet, by remote address; no entry for none. */
  readonly #pending = new Map<string, number>();
  /** By node, so that a new session is no new allowance. At most one entry for each node. */
  readonly #records = new Map<string, TokenBucket>();
  readonly #scope: ClusterScope;
  readonly #redisScope: ClusterScope;
  readonly #enrolling = new Set<string>();
  readonly #refusals = new RefusalLedger();
  #badFrames = 0;
  #cancelSweep: () => void;
  #peersPending = false;

  constructor(parts: AgentHubParts) {
    this.#parts = parts;
    this.#scope = new ClusterScope((node) => parts.intake.clustersOf(node));
    this.#redisScope = new ClusterScope((node) => parts.intake.redisOf(node));
    this.#cancelSweep = parts.clock.setTimer(() => this.#sweep(), sweepMs);
  }

  get connected(): number {
    return this.#live.size;
  }

  get badFrames(): number {
    return this.#badFrames;
  }

  /** Null when nothing of this node was left out. */
  refusedOf(node: string): RefusedParts | null {
    return this.#refusals.read(node);
  }

  refusedCounts(): ReturnType<RefusalLedger["counts"]> {
    return this.#refusals.counts();
  }

  /** A browser must never speak as an agent: any Origin header is refused. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (request.headers.origin !== undefined) {
      refuseUpgrade(socket, 403, "Agents send no Origin header.");
      return;
    }
    if (this.#all.size - this.#live.size >= pendingLimit || this.#all.size >= sessionLimit) {
      refuseUpgrade(socket, 503, "Too many connections; try again later.");
      return;
    }
    const tcp = socket as Socket;
    if ((this.#pending.get(tcp.remoteAddress ?? "") ?? 0) >= pendingAtAddressLimit) {
      refuseUpgrade(socket, 503, "Too many connections from this address that have not proved a key; try again later.");
      return;
    }
    tcp.setNoDelay(true);
    tcp.setKeepAlive(true, keepAliveMs);
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#accept(webSocket, tcp));
  }

  send(command: CommandRecord): boolean {
    return this.#live.get(command.node)?.sendCommand(command) ?? false;
  }

  acknowledge(node: string, commandId: string): void {
    this.#live.get(node)?.acknowledgeResult(commandId);
  }

  drop(node: string, code: string): void {
    this.#live.get(node)?.close(1008, code);
  }

  renewLease({ node, cluster, epoch, ask }: LeaseRenewal): void {
    this.#live.get(node)?.renewLease({ t: "lease", cluster, epoch, ask });
  }

  refreshPeers(): void {
    if (this.#peersPending) return;
    this.#peersPending = true;
    this.#parts.clock.setTimer(() => {
      this.#peersPending = false;
      for (const session of this.#live.values()) session.refreshPeers();
    }, peersMs);
  }

  close(): void {
    this.#cancelSweep();
    for (const session of [...this.#all]) session.close(1001, "server-stopping");
  }

  #accept(webSocket: WebSocket, tcp: Socket): void {
    const address = tcp.remoteAddress ?? "";
    const session = new AgentSession(webSocket, {
      ...this.#parts,
      address,
      scope: this.#scope,
      redisScope: this.#redisScope,
      reserveRecords: (node, count) => this.#reserveRecords(node, count),
      enrolling: this.#enrolling,
      onWelcome: (welcomed) => {
        this.#countPending(address, -1);
        this.#takeOver(welcomed);
      },
      onEnd: (ended, node) => {
        if (node === null) this.#countPending(address, -1);
        this.#forget(ended, node);
      },
      onBadFrame: (reason) => {
        this.#badFrames += 1;
        this.#parts.log("A frame from an agent was refused.", { address, reason });
      },
      onRefused: (node, parts) => {
        const { clock, log } = this.#parts;
        if (!this.#refusals.add(node, parts, clock.wallMs(), clock.monoMs())) return;
        const [first] = parts;
        log("Parts of a frame were refused; the rest counts. Said once a minute.", {
          node,
          count: parts.length,
          first,
        });
      },
    });
    this.#all.add(session);
    this.#countPending(address, 1);
    // Earlier than the WebSocket's own close: the moment the FIN or the reset is in.
    tcp.on("end", () => session.terminate("closed"));
    tcp.on("close", () => session.terminate("closed"));
  }

  #countPending(address: string, change: 1 | -1): void {
    const count = (this.#pending.get(address) ?? 0) + change;
    if (count > 0) this.#pending.set(address, count);
    else this.#pending.delete(address);
  }

  #reserveRecords(node: string, count: number): number {
    const nowMs = this.#parts.clock.monoMs();
    const bucket = this.#records.get(node) ?? new TokenBucket(recordsPerSecond, recordsBurst, nowMs);
    this.#records.set(node, bucket);
    return bucket.reserve(count, nowMs);
  }

  /** Two live sessions of one key are an alarm, unless the old one is only the half-open rest of a lost connection. */
  #takeOver(session: AgentSession): void {
    const node = session.node;
    if (node === null) return;
    const before = this.#live.get(node.id);
    this.#live.set(node.id, session);
    if (before === undefined) return;
    const { clock, intake } = this.#parts;
    const quietMs = clock.monoMs() - before.lastFrameMs;
    if (before.bootId !== session.bootId && quietMs < 2 * intake.heartbeatMs(node.id)) {
      intake.post({ kind: "signal-recorded", node: node.id, code: "key-used-twice", nodeAt: clock.wallMs(), data: {} });
    }
    before.close(1008, "replaced");
  }

  #forget(session: AgentSession, node: string | null): void {
    this.#all.delete(session);
    if (node !== null && this.#live.get(node) === session) this.#live.delete(node);
  }

  #sweep(): void {
    const nowMs = this.#parts.clock.monoMs();
    for (const session of [...this.#live.values()]) {
      if (nowMs - session.lastFrameMs > giveUpMs) session.terminate("silent");
      // A node's workload may have named a new cluster since.
      else session.refreshPeers();
    }
    this.#cancelSweep = this.#parts.clock.setTimer(() => this.#sweep(), sweepMs);
  }
}
