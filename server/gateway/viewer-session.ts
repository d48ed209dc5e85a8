import type { WebSocket } from "ws";
import type { Principal } from "../ports/access.ts";
import type { Clock } from "../ports/clock.ts";
import type { ControlPlane, LiveFeed } from "../ports/control.ts";
import { decodeViewerFrame } from "../protocol/decode-frame.ts";
import { type FeedFrame, limits, type ViewerFrame } from "../protocol/index.ts";
import { TokenBucket } from "./token-bucket.ts";

const framesPerSecond = 10;
const framesBurst = 40;
/** A watched detail is sent at most this often. */
const detailMs = 500;

export interface ViewerSessionParts {
  readonly clock: Clock;
  readonly feed: LiveFeed;
  readonly control: ControlPlane;
  readonly principal: Principal;
  onEnd(session: ViewerSession): void;
}

/** One browser's connection: what it missed, then every change, and the details it watches. */
export class ViewerSession {
  readonly userId: string;
  /** Answered the last ping. */
  alive = true;
  readonly #socket: WebSocket;
  readonly #parts: ViewerSessionParts;
  readonly #bucket: TokenBucket;
  #unsubscribe: (() => void) | null = null;
  #topics: readonly string[] = [];
  #cancelDetails: (() => void) | null = null;
  #ended = false;

  constructor(socket: WebSocket, parts: ViewerSessionParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.userId = parts.principal.id;
    this.#bucket = new TokenBucket(framesPerSecond, framesBurst, parts.clock.monoMs());
    socket.on("message", (data, isBinary) => this.#receive(data as Buffer, isBinary));
    socket.on("pong", () => {
      this.alive = true;
    });
    socket.on("close", () => this.#end());
    socket.on("error", () => this.#end());
  }

  ping(): void {
    this.alive = false;
    this.#socket.ping();
  }

  /** Says why, then closes: the browser asks for a new sign-in instead of trying again. */
  endAccess(reason: string): void {
    this.#send({ t: "ended", reason });
    this.close(4001, reason);
  }

  close(code: number, reason: string): void {
    this.#end();
    this.#socket.close(code, reason);
    this.#parts.clock.setTimer(() => this.#socket.terminate(), 1_000);
  }

  terminate(): void {
    this.#end();
    this.#socket.terminate();
  }

  #receive(data: Buffer, isBinary: boolean): void {
    const { clock } = this.#parts;
    if (this.#ended) return;
    const decoded = isBinary ? null : decodeViewerFrame(data.toString("utf8"));
    if (decoded?.ok !== true || !this.#bucket.take(clock.monoMs())) {
      this.close(1008, decoded === null ? "binary frame" : decoded.ok ? "too many frames" : decoded.reason);
      return;
    }
    this.#handle(decoded.frame);
  }

  #handle(frame: ViewerFrame): void {
    switch (frame.t) {
      case "resume":
        this.#resume(frame.cursor);
        return;
      case "watch":
        this.#topics = frame.topics;
        this.#sendDetails();
        return;
      case "ping":
        this.#send({ t: "pong", id: frame.id, wallMs: this.#parts.clock.wallMs() });
        return;
      default:
        frame satisfies never;
    }
  }

  /** Backfill and subscription in one turn: nothing can come between them. */
  #resume(cursor: { readonly feedId: string; readonly seq: number } | null): void {
    this.#unsubscribe?.();
    this.#sendText(this.#parts.feed.resume(cursor));
    this.#unsubscribe = this.#parts.feed.subscribe((frame, touched) => {
      this.#sendText(frame);
      if (this.#topics.some((topic) => touched.has(topic))) this.#sendDetails();
    });
  }

  /** Now, and then for as long as something is watched. */
  #sendDetails(): void {
    if (this.#cancelDetails !== null || this.#ended) return;
    for (const topic of this.#topics) {
      const value = this.#parts.control.topic(topic);
      if (value !== null) this.#send({ t: "detail", topic, value });
    }
    if (this.#topics.length === 0) return;
    this.#cancelDetails = this.#parts.clock.setTimer(() => {
      this.#cancelDetails = null;
      this.#sendDetails();
    }, detailMs);
  }

  #send(frame: FeedFrame): void {
    this.#sendText(JSON.stringify(frame));
  }

  /** A viewer that can't keep up is cut: it comes back and gets everything anew, instead of holding our memory. */
  #sendText(text: string): void {
    if (this.#ended || this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > limits.viewerBufferedBytes) {
      this.terminate();
      return;
    }
    this.#socket.send(text);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#unsubscribe?.();
    this.#cancelDetails?.();
    this.#parts.onEnd(this);
  }
}
