import net from "node:net";
import type { PortAddress } from "./silent-ports.ts";

/** One directed link of the demo's network: a TCP proxy from a listening address to a target. */
export interface LinkOptions {
  readonly name: string;
  /** Node whose traffic uses the link, or `any` when several use it. */
  readonly from: string;
  readonly to: string;
  readonly listen: PortAddress;
  readonly target: PortAddress;
}

interface Pair {
  readonly near: net.Socket;
  readonly far: net.Socket;
}

/** Connections that may be open on one link at a time. */
const maxPairs = 500;

/**
 * While open it copies bytes both ways with as little delay as it can. While silent it reads nothing and forwards no end of a
 * connection, so neither side gets a FIN or a RST: for both the other one has gone quiet.
 */
export class Link {
  readonly #pairs = new Set<Pair>();
  #server: net.Server | null = null;
  #silent = false;

  constructor(readonly options: LinkOptions) {}

  get silent(): boolean {
    return this.#silent;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** Listens. Fails with `EADDRINUSE` when the port is taken. */
  async open(): Promise<void> {
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
    server.on("connection", (near) => this.#join(near));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ ...this.options.listen, backlog: 128 }, () => {
        server.off("error", reject);
        server.on("error", () => undefined);
        resolve();
      });
    });
    this.#server = server;
  }

  /** Stops listening, so that a silent listener can take the port. What is connected stays connected. */
  stopListening(): void {
    this.#server?.close();
    this.#server = null;
  }

  /** Established connections go quiet at once. */
  silence(): void {
    this.#silent = true;
    for (const { near, far } of this.#pairs) {
      near.pause();
      far.pause();
    }
  }

  /** Bytes flow again; ends that came meanwhile are passed on. */
  resume(): void {
    this.#silent = false;
    for (const pair of this.#pairs) {
      const { near, far } = pair;
      if (near.destroyed || far.destroyed) this.#sever(pair);
      else {
        near.resume();
        far.resume();
        if (near.readableEnded) far.end();
        if (far.readableEnded) near.end();
      }
    }
  }

  /** Ends everything on this link. */
  close(): void {
    this.stopListening();
    for (const pair of this.#pairs) this.#sever(pair);
  }

  #join(near: net.Socket): void {
    if (this.#pairs.size >= maxPairs) {
      near.destroy();
      return;
    }
    const far = net.connect({ ...this.options.target, noDelay: true, allowHalfOpen: true });
    const pair: Pair = { near, far };
    this.#pairs.add(pair);
    this.#forward(pair, near, far);
    this.#forward(pair, far, near);
    far.once("connect", () => {
      if (!this.#silent) near.resume();
    });
  }

  #forward(pair: Pair, from: net.Socket, to: net.Socket): void {
    from.on("data", (chunk) => {
      if (!to.write(chunk)) from.pause();
    });
    to.on("drain", () => {
      if (!this.#silent) from.resume();
    });
    from.on("end", () => {
      if (!this.#silent) to.end();
    });
    from.on("error", () => undefined);
    from.on("close", () => {
      if (!this.#silent) this.#sever(pair);
    });
  }

  /** A reset on one side becomes a reset on the other; what was already ended in order stays so. */
  #sever(pair: Pair): void {
    this.#pairs.delete(pair);
    for (const socket of [pair.near, pair.far]) {
      if (socket.destroyed) continue;
      if (socket.writableEnded) socket.destroySoon();
      else socket.resetAndDestroy();
    }
  }
}
