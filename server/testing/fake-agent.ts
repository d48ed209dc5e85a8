import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { WebSocket } from "ws";
import { type AgentFrame, type HelloFrame, handshakeText, type ServerFrame } from "../protocol/index.ts";

/** An agent's end of the wire, as small as it can be, with every step open to be done wrongly. */
export class FakeAgent {
  readonly frames: ServerFrame[] = [];
  closed: { code: number; reason: string } | null = null;
  readonly agentKey: string;
  readonly bootId: string;
  readonly #privateKey: KeyObject;
  readonly #socket: WebSocket;
  readonly #wake = new Set<() => void>();

  private constructor(socket: WebSocket, keys: AgentKeys, bootId: string) {
    this.#socket = socket;
    this.agentKey = keys.agentKey;
    this.#privateKey = keys.privateKey;
    this.bootId = bootId;
    socket.on("message", (data) => {
      this.frames.push(JSON.parse(String(data)) as ServerFrame);
      this.#wakeAll();
    });
    socket.on("close", (code, reason) => {
      this.closed = { code, reason: String(reason) };
      this.#wakeAll();
    });
    socket.on("error", () => {});
  }

  static async open(url: string, keys = makeKeys(), bootId: string = crypto.randomUUID()): Promise<FakeAgent> {
    const socket = new WebSocket(url.replace(/^http/, "ws").concat("/agent"), { perMessageDeflate: false });
    const agent = new FakeAgent(socket, keys, bootId);
    await new Promise<void>((resolve, reject) => {
      socket.once("open", () => resolve());
      socket.once("error", reject);
    });
    return agent;
  }

  send(frame: AgentFrame): void {
    this.#socket.send(JSON.stringify(frame));
  }

  sendText(text: string | Buffer): void {
    this.#socket.send(text);
  }

  hello(node: string, over: Partial<HelloFrame> = {}): HelloFrame {
    return {
      t: "hello",
      protocol: 1,
      version: "0.1.0",
      node,
      agentKey: this.agentKey,
      nonce: "agent-nonce",
      bootId: this.bootId,
      wallMs: Date.now(),
      zone: "a",
      labels: {},
      ...over,
    };
  }

  /** The signature over what this session has said so far. */
  prove(nonce: string, serverKey: string, role: "agent" | "server" = "agent"): string {
    const text = handshakeText(role, {
      agentNonce: "agent-nonce",
      serverNonce: nonce,
      agentKey: this.agentKey,
      serverKey,
    });
    return sign(null, Buffer.from(text), this.#privateKey).toString("base64url");
  }

  /** The whole handshake; answers with the last frame of the server. */
  async enter(node: string, over: Partial<HelloFrame> = {}): Promise<ServerFrame> {
    this.send(this.hello(node, over));
    const challenge = await this.next();
    if (challenge.t !== "challenge") return challenge;
    this.send({ t: "proof", signature: this.prove(challenge.nonce, challenge.serverKey) });
    return this.next();
  }

  /** The next frame that nobody has read yet. */
  async next(timeoutMs = 5_000): Promise<ServerFrame> {
    await this.#until(() => this.frames.length > 0, timeoutMs);
    return this.frames.shift() as ServerFrame;
  }

  async nextOf<T extends ServerFrame["t"]>(t: T, timeoutMs = 5_000): Promise<Extract<ServerFrame, { t: T }>> {
    for (;;) {
      const frame = await this.next(timeoutMs);
      if (frame.t === t) return frame as Extract<ServerFrame, { t: T }>;
    }
  }

  async end(timeoutMs = 5_000): Promise<{ code: number; reason: string }> {
    await this.#until(() => this.closed !== null, timeoutMs);
    return this.closed as unknown as { code: number; reason: string };
  }

  close(): void {
    this.#socket.terminate();
  }

  #wakeAll(): void {
    for (const wake of this.#wake) wake();
  }

  async #until(holds: () => boolean, timeoutMs: number): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#wake.delete(check);
        reject(new Error(`nothing came within ${timeoutMs} ms`));
      }, timeoutMs);
      const check = (): void => {
        if (!holds()) return;
        clearTimeout(timer);
        this.#wake.delete(check);
        resolve();
      };
      this.#wake.add(check);
    });
  }
}

export interface AgentKeys {
  readonly agentKey: string;
  readonly privateKey: KeyObject;
}

export function makeKeys(): AgentKeys {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const { x } = publicKey.export({ format: "jwk" });
  return { agentKey: x as string, privateKey };
}
