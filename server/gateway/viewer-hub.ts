import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Principal, ViewerGuard } from "../ports/access.ts";
import type { Clock } from "../ports/clock.ts";
import type { ControlPlane, LiveFeed } from "../ports/control.ts";
import { refuseUpgrade } from "./refuse-upgrade.ts";
import { ViewerSession } from "./viewer-session.ts";

const viewerLimit = 1_000;
const perUserLimit = 50;
const pingMs = 15_000;
const maxFrameBytes = 16 * 1024;

export interface ViewerHubParts {
  readonly clock: Clock;
  readonly feed: LiveFeed;
  readonly control: ControlPlane;
  readonly guard: ViewerGuard;
  /** Exact origins that may open a socket. */
  isAllowedOrigin(origin: string): boolean;
}

/** All browsers' connections. Who may not look is refused before the upgrade; who loses the right is cut at once. */
export class ViewerHub {
  readonly #parts: ViewerHubParts;
  readonly #sessions = new Set<ViewerSession>();
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxFrameBytes,
    perMessageDeflate: false,
    clientTracking: false,
  });
  #cancelPing: () => void;

  constructor(parts: ViewerHubParts) {
    this.#parts = parts;
    parts.guard.onAccessChanged((userId) => this.#endUser(userId));
    this.#cancelPing = parts.clock.setTimer(() => this.#ping(), pingMs);
  }

  get connected(): number {
    return this.#sessions.size;
  }

  async handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { origin } = request.headers;
    if (origin === undefined || !this.#parts.isAllowedOrigin(origin)) {
      refuseUpgrade(
        socket,
        403,
        "This origin may not open a live connection; see `publicOrigins` in the configuration.",
      );
      return;
    }
    socket.on("error", () => socket.destroy());
    const principal = await this.#identify(request);
    if (principal === null || principal.role === null) {
      refuseUpgrade(socket, principal === null ? 401 : 403, "Sign in first.");
      return;
    }
    if (this.#sessions.size >= viewerLimit || this.#countOf(principal.id) >= perUserLimit) {
      refuseUpgrade(socket, 503, "Too many live connections; close some windows.");
      return;
    }
    if (socket.destroyed) return;
    (socket as Socket).setNoDelay(true);
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => this.#accept(webSocket, principal));
  }

  close(): void {
    this.#cancelPing();
    for (const session of [...this.#sessions]) session.close(1001, "server-stopping");
  }

  async #identify(request: IncomingMessage): Promise<Principal | null> {
    try {
      return await this.#parts.guard.identify(new Headers({ cookie: request.headers.cookie ?? "" }));
    } catch {
      // Fail closed: without a database nobody new may look.
      return null;
    }
  }

  #accept(webSocket: WebSocket, principal: Principal): void {
    const { clock, feed, control } = this.#parts;
    const onEnd = (ended: ViewerSession): void => {
      this.#sessions.delete(ended);
    };
    this.#sessions.add(new ViewerSession(webSocket, { clock, feed, control, principal, onEnd }));
  }

  #countOf(userId: string): number {
    let count = 0;
    for (const session of this.#sessions) if (session.userId === userId) count += 1;
    return count;
  }

  #endUser(userId: string): void {
    for (const session of [...this.#sessions]) if (session.userId === userId) session.endAccess("access-changed");
  }

  #ping(): void {
    for (const session of [...this.#sessions]) {
      if (session.alive) session.ping();
      else session.terminate();
    }
    this.#cancelPing = this.#parts.clock.setTimer(() => this.#ping(), pingMs);
  }
}
