import { randomBytes } from "node:crypto";
import WebSocket from "ws";
import type { AgentFrame, ServerFrame, WelcomeFrame } from "../../server/protocol/index.ts";
import { handshakeText, limits } from "../../server/protocol/index.ts";
import type { Log } from "../shared/log.ts";
import { monotonicMs } from "../shared/time.ts";
import { backoffMs } from "./backoff.ts";
import { decodeServerFrame } from "./decode.ts";
import { type Identity, saveIdentity, signText, verifyText } from "./identity.ts";

export const agentVersion = "0.1.0";

const pingIntervalMs = 2_000;
/** After a cut, what was sent waits for the kernel to try again, which it does more and more rarely: a new connection is there sooner. */
const silenceLimitMs = 6_000;
const refusedDelayMs = 10_000;
/** Heartbeats and telemetry are skipped while this much waits in the socket: the newest one says it all. */
const maxBufferedBytes = 1024 * 1024;

export interface ConnectionOptions {
  readonly url: string;
  readonly node: string;
  readonly zone: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly bootId: string;
  readonly spoolId: string;
  readonly token: string | null;
  /** Pin from the configuration; it wins over what was pinned at enrolment. */
  readonly pinnedServerKey: string | null;
  readonly identity: Identity;
  readonly stateDir: string;
  /** Longest pause between attempts, milliseconds. */
  readonly reconnectCapMs: number;
  readonly log: Log;
  onWelcome(welcome: WelcomeFrame): void;
  onFrame(frame: ServerFrame): void;
  onDisconnect(): void;
}

/** The agent's one connection: dialled out, authenticated both ways, dialled again whenever it ends. */
export class Connection {
  readonly #options: ConnectionOptions;
  #identity: Identity;
  #socket: WebSocket | null = null;
  #live = false;
  #attempt = 0;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;
  #withoutToken = false;
  #sessionStartMs = 0;
  #serverKey = "";
  #lastHeardMs = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#identity = options.identity;
  }

  get connected(): boolean {
    return this.#live;
  }

  get serverKey(): string {
    return this.#serverKey;
  }

  get agentKey(): string {
    return this.#identity.publicKey;
  }

  /** Milliseconds since our proof left: the server's session clock is never ahead of it. */
  sessionMs(): number {
    return monotonicMs() - this.#sessionStartMs;
  }

  start(): void {
    this.#dial();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#socket?.close(1000, "agent stopped");
    this.#socket?.terminate();
  }

  /** Sends when a session is live. False when it was not sent. */
  send(frame: AgentFrame): boolean {
    if (!this.#live || this.#socket === null) return false;
    if ((frame.t === "heartbeat" || frame.t === "telemetry") && this.#socket.bufferedAmount > maxBufferedBytes)
      return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  #dial(): void {
    const socket = new WebSocket(`${this.#options.url.replace(/\/+$/, "")}/agent`, {
      perMessageDeflate: false,
      maxPayload: limits.maxFrameBytes,
      handshakeTimeout: limits.handshakeTimeoutMs,
      followRedirects: false,
    });
    this.#socket = socket;
    const nonce = randomBytes(32).toString("base64url");
    let state: "greeting" | "proving" | "live" = "greeting";
    let refused: string | null = null;
    const handshakeTimer = setTimeout(() => socket.terminate(), limits.handshakeTimeoutMs * 2);
    const heartbeat = setInterval(() => this.#checkSilence(socket), pingIntervalMs);
    socket.on("open", () => {
      this.#lastHeardMs = monotonicMs();
      this.#sendRaw(socket, this.#hello(nonce));
    });
    socket.on("pong", () => {
      this.#lastHeardMs = monotonicMs();
    });
    socket.on("message", (data) => {
      this.#lastHeardMs = monotonicMs();
      const frame = decodeServerFrame(data.toString());
      if (frame === null) {
        this.#options.log("warn", "the server sent a frame that is none; the session ends");
        socket.close(1008, "bad frame");
      } else if (frame.t === "refused") {
        refused = frame.code;
        this.#refused(frame.code, frame.detail);
      } else if (state === "greeting" && frame.t === "challenge") {
        state = "proving";
        void this.#prove(socket, nonce, frame);
      } else if (state === "proving" && frame.t === "welcome") {
        state = "live";
        clearTimeout(handshakeTimer);
        this.#welcomed(frame);
      } else if (state === "live") {
        this.#options.onFrame(frame);
      } else {
        socket.close(1008, "unexpected frame");
      }
    });
    socket.on("error", (error) => {
      if (this.#attempt === 0)
        this.#options.log("warn", "no connection to the control plane", { error: error.message });
    });
    socket.on("close", () => {
      clearTimeout(handshakeTimer);
      clearInterval(heartbeat);
      if (this.#socket === socket) this.#ended(refused);
    });
  }

  #hello(nonce: string): AgentFrame {
    const { node, zone, labels, bootId, spoolId, token } = this.#options;
    const sendToken = token !== null && !this.#identity.enrolled && !this.#withoutToken;
    return {
      t: "hello",
      protocol: limits.protocolVersion,
      version: agentVersion,
      node,
      agentKey: this.#identity.publicKey,
      nonce,
      bootId,
      wallMs: Date.now(),
      zone,
      labels,
      spoolId,
      ...(sendToken ? { enrolmentToken: token } : {}),
    };
  }

  async #prove(socket: WebSocket, nonce: string, frame: Extract<ServerFrame, { t: "challenge" }>): Promise<void> {
    const pinned = this.#options.pinnedServerKey ?? this.#identity.serverKey;
    if (pinned !== null && pinned !== frame.serverKey) {
      this.#distrust(
        socket,
        "its key is not the pinned one; if the server was really replaced, remove serverKey from the configuration and the state",
      );
      return;
    }
    // Trust on first use needs the token: without it anybody could pin themselves.
    if (pinned === null && this.#options.token === null) {
      this.#distrust(socket, "its key is not pinned yet, and there is no enrolment token");
      return;
    }
    const parts = {
      agentNonce: nonce,
      serverNonce: frame.nonce,
      agentKey: this.#identity.publicKey,
      serverKey: frame.serverKey,
    };
    if (!verifyText(frame.serverKey, handshakeText("server", parts), frame.signature)) {
      this.#distrust(socket, "its signature is not valid");
      return;
    }
    this.#serverKey = frame.serverKey;
    if (this.#identity.serverKey !== frame.serverKey) {
      this.#identity = { ...this.#identity, serverKey: frame.serverKey };
      await saveIdentity(this.#options.stateDir, this.#identity);
    }
    this.#sessionStartMs = monotonicMs();
    this.#sendRaw(socket, {
      t: "proof",
      signature: signText(this.#identity.privateKey, handshakeText("agent", parts)),
    });
  }

  #distrust(socket: WebSocket, reason: string): void {
    this.#options.log("error", `the server is not trusted: ${reason}`);
    socket.close(1008, "server not trusted");
  }

  #welcomed(frame: WelcomeFrame): void {
    this.#live = true;
    this.#attempt = 0;
    if (!this.#identity.enrolled) {
      this.#identity = { ...this.#identity, enrolled: true };
      void saveIdentity(this.#options.stateDir, this.#identity);
    }
    this.#options.log("info", "connected to the control plane", { sessionId: frame.sessionId });
    this.#options.onWelcome(frame);
  }

  #refused(code: string, detail: string): void {
    this.#options.log("error", `the control plane refused this agent (${code}): ${detail}`);
    // The token was used, maybe by us: the welcome may have been lost on the way.
    this.#withoutToken = code === "token-used" && !this.#withoutToken;
  }

  #ended(refused: string | null): void {
    const wasLive = this.#live;
    this.#live = false;
    this.#socket = null;
    if (wasLive) {
      this.#options.log("warn", "the connection to the control plane ended");
      this.#options.onDisconnect();
    }
    if (this.#stopped) return;
    const waits = refused !== null && refused !== "store-unavailable" && !this.#withoutToken;
    const delay = waits
      ? refusedDelayMs
      : backoffMs(this.#attempt, { firstMs: 50, capMs: this.#options.reconnectCapMs }, Math.random());
    this.#attempt += 1;
    this.#timer = setTimeout(() => this.#dial(), delay);
  }

  /** A server that vanished without a FIN would keep us for a quarter of an hour. */
  #checkSilence(socket: WebSocket): void {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (monotonicMs() - this.#lastHeardMs > silenceLimitMs) socket.terminate();
    else socket.ping();
  }

  #sendRaw(socket: WebSocket, frame: AgentFrame): void {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
  }
}
