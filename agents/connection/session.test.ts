import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import type { HelloFrame, ServerFrame } from "../../server/protocol/index.ts";
import { handshakeText } from "../../server/protocol/signing.ts";
import { openIdentity, signText, verifyText } from "./identity.ts";
import { Connection } from "./session.ts";

/** A server's side of the handshake, as little as is needed to see what the agent does. */
class FakeServer {
  readonly keys = generateKeyPairSync("ed25519");
  readonly hellos: HelloFrame[] = [];
  readonly proofs: boolean[] = [];
  readonly messages: unknown[] = [];
  readonly closes: number[] = [];
  signWith: KeyObject = this.keys.privateKey;
  refuse: string | null = null;
  socket: WebSocket | null = null;
  readonly #server = new WebSocketServer({ port: 0, host: "127.0.0.1" });

  get key(): string {
    return this.keys.publicKey.export({ format: "jwk" }).x as string;
  }

  get url(): string {
    const address = this.#server.address();
    return `ws://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  }

  async open(): Promise<this> {
    if (this.#server.address() === null) await new Promise((resolve) => this.#server.once("listening", resolve));
    this.#server.on("connection", (socket) => this.#greet(socket));
    return this;
  }

  send(frame: ServerFrame): void {
    this.socket?.send(JSON.stringify(frame));
  }

  async close(): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #greet(socket: WebSocket): void {
    this.socket = socket;
    const nonce = "server-nonce";
    let hello: HelloFrame | null = null;
    socket.on("close", (code) => this.closes.push(code));
    socket.on("message", (data) => {
      const frame = JSON.parse(data.toString());
      if (frame.t === "hello") {
        hello = frame;
        this.hellos.push(frame);
        if (this.refuse !== null) {
          this.send({ t: "refused", code: this.refuse, detail: "no" });
          socket.close();
          return;
        }
        const text = handshakeText("server", this.#parts(frame, nonce));
        this.send({ t: "challenge", nonce, serverKey: this.key, signature: signText(this.signWith, text) });
      } else if (frame.t === "proof" && hello !== null) {
        this.proofs.push(
          verifyText(hello.agentKey, handshakeText("agent", this.#parts(hello, nonce)), frame.signature),
        );
        this.send({ t: "welcome", sessionId: "s", heartbeatMs: 250, peers: [], recordsUpTo: 0 });
      } else {
        this.messages.push(frame);
      }
    });
  }

  #parts(hello: HelloFrame, serverNonce: string) {
    return { agentNonce: hello.nonce, serverNonce, agentKey: hello.agentKey, serverKey: this.key };
  }
}

let stateDir: string;
let server: FakeServer;
const connections: Connection[] = [];
const logged: string[] = [];

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "holdfast-session-"));
  server = await new FakeServer().open();
  logged.length = 0;
});

afterEach(async () => {
  for (const connection of connections.splice(0)) connection.stop();
  await server.close();
  await rm(stateDir, { recursive: true, force: true });
});

async function connect(options: { readonly token?: string; readonly pinned?: string } = {}): Promise<Connection> {
  const connection = new Connection({
    url: server.url,
    node: "pg-a",
    zone: "z",
    labels: {},
    bootId: "boot",
    spoolId: "spool",
    token: options.token ?? null,
    pinnedServerKey: options.pinned ?? null,
    identity: await openIdentity(stateDir),
    stateDir,
    reconnectCapMs: 100,
    log: (_level, message) => logged.push(message),
    onWelcome: () => undefined,
    onFrame: () => undefined,
    onDisconnect: () => undefined,
  });
  connections.push(connection);
  connection.start();
  return connection;
}

describe("the session", () => {
  it("enrols once by token, pins the server's key, and proves itself with the same key afterwards", async () => {
    const first = await connect({ token: "secret" });
    await expect.poll(() => first.connected).toBe(true);
    expect(server.hellos[0]?.enrolmentToken).toBe("secret");
    expect(server.proofs).toEqual([true]);
    expect((await stat(join(stateDir, "identity.json"))).mode & 0o777).toBe(0o600);
    await expect.poll(async () => (await openIdentity(stateDir)).enrolled).toBe(true);
    first.stop();
    const second = await connect({ token: "secret" });
    await expect.poll(() => second.connected).toBe(true);
    expect(server.hellos[1]?.enrolmentToken).toBeUndefined();
    expect(server.hellos[1]?.agentKey).toBe(server.hellos[0]?.agentKey);
  });

  it("proves nothing to a server whose key is not the pinned one", async () => {
    const other = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }).x as string;
    await connect({ token: "secret", pinned: other });
    await expect.poll(() => logged.some((line) => line.includes("not the pinned one"))).toBe(true);
    expect(server.proofs).toEqual([]);
  });

  it("proves nothing to a server that shows a key it cannot sign with", async () => {
    server.signWith = generateKeyPairSync("ed25519").privateKey;
    await connect({ token: "secret" });
    await expect.poll(() => logged.some((line) => line.includes("its signature is not valid"))).toBe(true);
    expect(server.proofs).toEqual([]);
    expect((await openIdentity(stateDir)).serverKey).toBeNull();
  });

  it("trusts on first use only together with a token", async () => {
    await connect();
    await expect.poll(() => logged.some((line) => line.includes("no enrolment token"))).toBe(true);
    expect(server.proofs).toEqual([]);
  });

  it("ends the session on a frame that is none, and comes back", async () => {
    const connection = await connect({ token: "secret" });
    await expect.poll(() => connection.connected).toBe(true);
    server.socket?.send('{"t":"command","envelope":{"verb":"rm"}}');
    await expect.poll(() => server.closes).toContain(1008);
    await expect.poll(() => server.hellos.length, { timeout: 3_000 }).toBe(2);
  });

  it("tries without the token when the token was used up: the welcome may have been lost", async () => {
    server.refuse = "token-used";
    await connect({ token: "secret" });
    await expect.poll(() => server.hellos.length, { timeout: 3_000 }).toBeGreaterThan(1);
    expect(server.hellos[1]?.enrolmentToken).toBeUndefined();
  });
});
