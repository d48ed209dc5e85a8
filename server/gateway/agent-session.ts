import { randomUUID } from "node:crypto";
import type { WebSocket } from "ws";
import type { CommandRecord, NodeRecord } from "../core/index.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import type { TelemetryStore } from "../ports/telemetry.ts";
import { decodeAgentFrame } from "../protocol/decode-frame.ts";
import {
  type CommandEnvelope,
  canonicalJson,
  type HelloFrame,
  type LeaseFrame,
  limits,
  type ProgressFrame,
  type ReceivedFrame,
  type RefusedPart,
  type ServerFrame,
} from "../protocol/index.ts";
import type { ClusterScope } from "./cluster-scope.ts";
import { admit, challenge, type HandshakeParts } from "./handshake.ts";
import { ProgressThrottle } from "./progress-throttle.ts";
import { RecordsQueue } from "./records-queue.ts";
import { TokenBucket } from "./token-bucket.ts";

const framesPerSecond = 100;
const framesBurst = 300;
/** Telemetry comes about once a second; what comes much oftener is left out. */
const telemetryPerSecond = 4;
const telemetryBurst = 20;
/** Frames of which something was refused: looking at them again costs more than reading a good one. */
const salvagedPerSecond = 10;
const salvagedBurst = 100;

export interface SessionParts extends HandshakeParts {
  readonly store: Store;
  readonly telemetry: Pick<TelemetryStore, "take">;
  readonly address: string;
  readonly scope: ClusterScope;
  /** The same for Redis: a node may be in one PostgreSQL cluster and in one Redis cluster. */
  readonly redisScope: ClusterScope;
  /** Milliseconds to wait before this many records of the node may be stored. */
  reserveRecords(node: string, count: number): number;
  onWelcome(session: AgentSession): void;
  /** `node`: whose session it was, when it had come that far. */
  onEnd(session: AgentSession, node: string | null): void;
  onBadFrame(reason: string): void;
  /** Parts of a frame were left out; the session goes on. */
  onRefused(node: string, parts: readonly RefusedPart[]): void;
}

type Phase =
  | { readonly kind: "greeting" }
  | { readonly kind: "proving"; readonly hello: HelloFrame; readonly nonce: string }
  | { readonly kind: "admitting" }
  | { readonly kind: "live"; readonly node: NodeRecord; readonly sinceMs: number }
  | { readonly kind: "ended" };

/** One agent's connection, from its greeting to its end. Judges every frame: what it can do without is left out when it is wrong, anything else that is ends the session, never the process. */
export class AgentSession {
  readonly id = randomUUID();
  bootId = "";
  lastFrameMs: number;
  #phase: Phase = { kind: "greeting" };
  #peers = "";
  #sending: Promise<void> = Promise.resolve();
  #strayed = false;
  #cancelHandshake: () => void;
  readonly #bucket: TokenBucket;
  readonly #telemetryBucket: TokenBucket;
  readonly #salvagedBucket: TokenBucket;
  readonly #progress: ProgressThrottle;
  readonly #records: RecordsQueue;
  readonly #socket: WebSocket;
  readonly #parts: SessionParts;
  readonly #clock: Clock;

  constructor(socket: WebSocket, parts: SessionParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#clock = parts.clock;
    this.lastFrameMs = this.#clock.monoMs();
    this.#bucket = new TokenBucket(framesPerSecond, framesBurst, this.lastFrameMs);
    this.#telemetryBucket = new TokenBucket(telemetryPerSecond, telemetryBurst, this.lastFrameMs);
    this.#salvagedBucket = new TokenBucket(salvagedPerSecond, salvagedBurst, this.lastFrameMs);
    this.#progress = new ProgressThrottle(this.#clock, (frame) => this.#postProgress(frame));
    this.#records = new RecordsQueue({
      ...parts,
      isLive: () => this.#phase.kind === "live",
      send: (frame) => this.#send(frame),
    });
    this.#cancelHandshake = this.#clock.setTimer(
      () => this.close(1008, "handshake-timeout"),
      limits.handshakeTimeoutMs,
    );
    socket.on("message", (data, isBinary) => this.#receive(data as Buffer, isBinary));
    socket.on("close", () => this.#end("closed"));
    socket.on("error", () => this.#end("closed"));
  }

  get node(): NodeRecord | null {
    return this.#phase.kind === "live" ? this.#phase.node : null;
  }

  /** Ends the session from our side with a reason the agent can log. */
  close(code: number, reason: string): void {
    this.#end(reason);
    this.#socket.close(code, reason.slice(0, 120));
    // A peer that does not answer the closing handshake must not keep the socket.
    this.#clock.setTimer(() => this.#socket.terminate(), 1_000);
  }

  /** The other side is gone: FIN, RST, or silence for so long that nobody waits any more. */
  terminate(reason: string): void {
    this.#end(reason);
    this.#socket.terminate();
  }

  /** Signs and sends a command; those of one session leave in the order they were given. False when the session is not live. */
  sendCommand(command: CommandRecord): boolean {
    const phase = this.#phase;
    if (phase.kind !== "live") return false;
    this.#sending = this.#sending.then(() => this.#signAndSend(command, phase)).catch(() => {});
    return true;
  }

  acknowledgeResult(commandId: string): void {
    if (this.#phase.kind === "live") this.#send({ t: "result-ack", commandId });
  }

  renewLease(frame: LeaseFrame): void {
    if (this.#phase.kind === "live") this.#send(frame);
  }

  /** Tells the agent whom to probe and how often to beat, when that has changed. */
  refreshPeers(): void {
    if (this.#phase.kind !== "live") return;
    const { intake } = this.#parts;
    const peers = intake.listPeers(this.#phase.node.id);
    const heartbeatMs = intake.heartbeatMs(this.#phase.node.id);
    const text = JSON.stringify([peers, heartbeatMs]);
    if (text === this.#peers) return;
    this.#peers = text;
    this.#send({ t: "peers", peers, heartbeatMs });
  }

  async #signAndSend(command: CommandRecord, phase: Extract<Phase, { kind: "live" }>): Promise<void> {
    // Without a counter the command stays in the outbox: it is tried again.
    const counter = await this.#parts.directory.nextCounter(phase.node.publicKey);
    const envelope: CommandEnvelope = {
      id: command.id,
      agentKey: phase.node.publicKey,
      cluster: command.cluster,
      grant: command.grant,
      verb: command.verb.verb,
      args: command.verb.args,
      sessionMs: Math.round(this.#clock.monoMs() - phase.sinceMs),
      expiresAfterMs: limits.commandExpiresAfterMs,
      counter,
    };
    if (this.#phase !== phase) return;
    this.#send({ t: "command", envelope, signature: this.#parts.identity.sign(canonicalJson(envelope)) });
  }

  #receive(data: Buffer, isBinary: boolean): void {
    const arrivalMs = this.#clock.monoMs();
    this.lastFrameMs = arrivalMs;
    if (this.#phase.kind === "ended") return;
    if (!this.#bucket.take(arrivalMs)) {
      this.#reject("too many frames");
      return;
    }
    if (isBinary) {
      this.#reject("binary frame");
      return;
    }
    const decoded = decodeAgentFrame(data.toString("utf8"));
    if (!decoded.ok) {
      this.#reject(decoded.reason);
      return;
    }
    if (decoded.refused.length > 0 && !this.#noteRefused(decoded.refused, arrivalMs)) return;
    if (decoded.frame !== null) this.#handle(decoded.frame, arrivalMs);
  }

  /** False when the session ends for it: before it has proved its key, and when next to nothing else comes. */
  #noteRefused(parts: readonly RefusedPart[], arrivalMs: number): boolean {
    const [first] = parts;
    if (this.node === null) this.#reject(`unexpected ${first?.part}`);
    else if (!this.#salvagedBucket.take(arrivalMs)) this.#reject("too many frames with refused parts");
    else {
      this.#parts.onRefused(this.node.id, parts);
      return true;
    }
    return false;
  }

  #handle(frame: ReceivedFrame, arrivalMs: number): void {
    const phase = this.#phase;
    if (phase.kind === "live") {
      this.#handleLive(frame, phase.node, arrivalMs);
      return;
    }
    if (phase.kind === "greeting" && frame.t === "hello") {
      this.#greet(frame);
      return;
    }
    if (phase.kind === "proving" && frame.t === "proof") {
      this.#phase = { kind: "admitting" };
      void this.#admit(phase, frame.signature);
      return;
    }
    this.#reject(`unexpected ${frame.t}`);
  }

  #handleLive(frame: ReceivedFrame, node: NodeRecord, arrivalMs: number): void {
    const { intake } = this.#parts;
    switch (frame.t) {
      case "heartbeat": {
        const { t: _, ...beat } = frame;
        const postgres = this.#withinScope(node, beat.postgres, this.#parts.scope);
        const redis = (beat.redis ?? []).filter(
          (each) => this.#withinScope(node, each, this.#parts.redisScope) !== null,
        );
        intake.post({
          kind: "heartbeat-received",
          node: node.id,
          sessionId: this.id,
          arrivalMs,
          ...beat,
          postgres,
          redis,
        });
        return;
      }
      case "result": {
        const { commandId, outcome, nodeAt } = frame;
        this.#progress.forget(commandId);
        intake.post({ kind: "command-finished", node: node.id, commandId, outcome, nodeAt });
        return;
      }
      case "progress":
        this.#progress.take(frame);
        return;
      case "records":
        if (!this.#records.add(node.id, frame)) this.close(1013, "too many records unacknowledged");
        return;
      case "telemetry":
        if (this.#telemetryBucket.take(arrivalMs)) this.#parts.telemetry.take(node.id, frame, this.#clock.wallMs());
        else this.#parts.onRefused(node.id, [{ part: "telemetry", place: "", why: "too-often" }]);
        return;
      case "hello":
      case "proof":
        this.#reject(`unexpected ${frame.t}`);
        return;
      default:
        frame satisfies never;
    }
  }

  /** A claim to a cluster that is not the node's is left out; the rest of the beat counts. Said once in a session. */
  #withinScope<T extends { readonly cluster: string }>(
    node: NodeRecord,
    claim: T | null,
    scope: ClusterScope,
  ): T | null {
    const reason = claim === null ? null : scope.refuse(node, claim.cluster);
    if (claim === null || reason === null) return claim;
    if (!this.#strayed) {
      this.#strayed = true;
      this.#parts.onBadFrame(reason);
      const { intake, clock } = this.#parts;
      const data = { cluster: claim.cluster, detail: reason };
      intake.post({
        kind: "signal-recorded",
        node: node.id,
        code: "cluster-not-granted",
        nodeAt: clock.wallMs(),
        data,
      });
    }
    return null;
  }

  #postProgress({ commandId, progress, data }: ProgressFrame): void {
    const { node } = this;
    if (node === null) return;
    this.#parts.intake.post({ kind: "command-progressed", node: node.id, commandId, progress, data });
  }

  #greet(hello: HelloFrame): void {
    const answer = challenge(this.#parts, hello);
    if (!answer.ok) {
      this.#refuse(answer.code, answer.detail);
      return;
    }
    this.#phase = { kind: "proving", hello, nonce: answer.frame.nonce };
    this.#send(answer.frame);
  }

  async #admit(phase: Extract<Phase, { kind: "proving" }>, signature: string): Promise<void> {
    const { hello, nonce } = phase;
    const { store, intake } = this.#parts;
    try {
      const admitted = await admit(this.#parts, hello, nonce, { t: "proof", signature });
      if (!admitted.ok) {
        this.#refuse(admitted.code, admitted.detail);
        return;
      }
      // The spool's position only spares the agent a repetition: without a store it repeats.
      const recordsUpTo =
        hello.spoolId === undefined ? 0 : await store.appliedRecords(admitted.node.id, hello.spoolId).catch(() => 0);
      if (this.#phase.kind !== "admitting") return;
      // The database took its time; whoever revoked the key meanwhile found no session to drop.
      const node = intake.findNodeByKey(hello.agentKey);
      if (node === null || node.revokedAt !== null) {
        this.#refuse("key-revoked", `the key of ${hello.node} was revoked`);
        return;
      }
      this.#welcome(hello, node, recordsUpTo);
    } catch (error) {
      this.#refuse("store-unavailable", "the control plane can't read its database; try again in a moment");
      this.#parts.onBadFrame(`handshake failed: ${error instanceof Error ? error.message : String(error)}`);
      return;
    }
    intake.post({
      kind: "agent-connected",
      node: hello.node,
      sessionId: this.id,
      bootId: hello.bootId,
      version: hello.version,
      address: this.#parts.address,
    });
  }

  #welcome(hello: HelloFrame, node: NodeRecord, recordsUpTo: number): void {
    this.#cancelHandshake();
    this.bootId = hello.bootId;
    this.#phase = { kind: "live", node, sinceMs: this.#clock.monoMs() };
    const peers = this.#parts.intake.listPeers(node.id);
    const heartbeatMs = this.#parts.intake.heartbeatMs(node.id);
    this.#peers = JSON.stringify([peers, heartbeatMs]);
    this.#send({ t: "welcome", sessionId: this.id, heartbeatMs, peers, recordsUpTo });
    this.#parts.onWelcome(this);
  }

  #refuse(code: string, detail: string): void {
    this.#send({ t: "refused", code, detail });
    this.close(1008, code);
  }

  #reject(reason: string): void {
    this.#parts.onBadFrame(reason);
    this.close(1008, reason);
  }

  #send(frame: ServerFrame): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #end(reason: string): void {
    if (this.#phase.kind === "ended") return;
    this.#cancelHandshake();
    const node = this.node;
    this.#phase = { kind: "ended" };
    this.#records.clear();
    this.#progress.close();
    if (node !== null) {
      this.#parts.intake.post({ kind: "agent-disconnected", node: node.id, sessionId: this.id, reason });
    }
    this.#parts.onEnd(this, node?.id ?? null);
  }
}
