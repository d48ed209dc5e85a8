import zookeeper, { type ZooKeeperClient, type ZooKeeperError } from "node-zookeeper-client";

const { CreateMode, Exception } = zookeeper;
const timeoutMs = 2_000;
/** The package waits for ever for the answer to its greeting, and for one from a server that has frozen: the connection is then cut from here. */
const greetingTimeoutMs = 3_000;
const closeTimeoutMs = 500;
const watchMs = 1_000;

/** The server answered, and said no in a way that the caller expects. */
export type Refusal = "no-node" | "node-exists" | "not-empty";

/** No answer, or one that says the connection or the session is gone; whether something was done is unknown. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/**
 * One session with the ensemble after the other. The client's own queue is not used: what can't be sent now is refused now, so that nothing
 * is created long after everybody has given up waiting for it.
 */
export class ZooKeeperSession {
  readonly #connection: string;
  readonly #sessionTimeoutMs: number;
  readonly #onExpired: () => void;
  #client: ZooKeeperClient;
  #connected = false;
  #closed = false;
  #waiting: (() => void)[] = [];
  #greetedAtMs = performance.now();
  readonly #watchdog: NodeJS.Timeout;

  constructor(connection: string, sessionTimeoutMs: number, onExpired: () => void) {
    this.#connection = connection;
    this.#sessionTimeoutMs = sessionTimeoutMs;
    this.#onExpired = onExpired;
    this.#client = this.#open();
    this.#watchdog = setInterval(() => this.#watch(), watchMs);
    this.#watchdog.unref();
  }

  /** Id and password: whoever has both can end it. */
  get credentials(): { readonly sessionId: Buffer; readonly sessionPassword: Buffer } {
    return { sessionId: this.#client.getSessionId(), sessionPassword: this.#client.getSessionPassword() };
  }

  create(path: string, data: string): Promise<string | Refusal> {
    return this.#call<string>((client, done) =>
      client.create(path, Buffer.from(data), CreateMode.EPHEMERAL_SEQUENTIAL, done),
    );
  }

  makeFolder(path: string): Promise<string | Refusal> {
    return this.#call<string>((client, done) => client.mkdirp(path, done));
  }

  remove(path: string): Promise<"done" | Refusal> {
    return this.#call<"done">((client, done) => client.remove(path, (error) => done(error, "done")));
  }

  write(path: string, data: string): Promise<"done" | Refusal> {
    return this.#call<"done">((client, done) =>
      client.setData(path, Buffer.from(data), (error) => done(error, "done")),
    );
  }

  /** Names of the children; none when there is no such node. */
  async children(path: string): Promise<readonly string[]> {
    const names = await this.#call<string[]>((client, done) => client.getChildren(path, done));
    return Array.isArray(names) ? names : [];
  }

  /** Null: there is no such node. `mine`: it belongs to this session. */
  async read(path: string): Promise<{ readonly data: string; readonly mine: boolean } | null> {
    const found = await this.#call<{ data: string; mine: boolean }>((client, done) =>
      client.getData(path, (error, data, stat) =>
        error === null || error === undefined
          ? done(null, { data: data.toString(), mine: stat.ephemeralOwner.equals(client.getSessionId()) })
          : done(error, { data: "", mine: false }),
      ),
    );
    return typeof found === "string" ? null : found;
  }

  /** With `onChange` it tells once when the node changes or is gone. */
  async exists(path: string, onChange?: () => void): Promise<boolean> {
    const stat = await this.#call<object | null>((client, done) =>
      onChange === undefined ? client.exists(path, done) : client.exists(path, onChange, done),
    );
    return stat !== null && typeof stat === "object";
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#watchdog);
    this.#client.close();
    setTimeout(() => this.#cut(), closeTimeoutMs).unref();
  }

  /**
   * The package doesn't look for answers to its pings, and a server drops requests of a session it no longer knows without a word. So a question
   * is asked all the time: one without an answer cuts the connection, and the greeting of the next one tells that the session has expired.
   */
  #watch(): void {
    if (this.#connected) void this.exists("/").catch(() => {});
    else if (performance.now() - this.#greetedAtMs > greetingTimeoutMs) this.#cut();
  }

  /** The package connects anew, with the same session. */
  #cut(): void {
    this.#greetedAtMs = performance.now();
    this.#client.connectionManager.socket?.destroy();
  }

  #open(): ZooKeeperClient {
    const options = { sessionTimeout: this.#sessionTimeoutMs, spinDelay: 200, retries: 0 };
    const client = zookeeper.createClient(this.#connection, options);
    const current = () => !this.#closed && this.#client === client;
    client.on("connected", () => {
      if (!current()) return;
      this.#connected = true;
      for (const wake of this.#waiting.splice(0)) wake();
    });
    client.on("disconnected", () => {
      if (!current()) return;
      this.#connected = false;
      this.#greetedAtMs = performance.now();
    });
    client.on("expired", () => {
      if (!current()) return;
      this.#connected = false;
      this.#client = this.#open();
      this.#onExpired();
    });
    client.connect();
    return client;
  }

  async #call<T>(
    send: (client: ZooKeeperClient, done: (error: ZooKeeperError | null | undefined, result: T) => void) => void,
  ): Promise<T | Refusal> {
    if (!this.#connected) await this.#connectedSoon();
    const client = this.#client;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#cut();
        reject(new NoAnswer(`no answer within ${timeoutMs} ms`));
      }, timeoutMs);
      send(client, (error, result) => {
        clearTimeout(timer);
        if (error === null || error === undefined) return resolve(result);
        const refusal = readRefusal(error);
        if (refusal === null) reject(new NoAnswer(error.message));
        else resolve(refusal);
      });
    });
  }

  #connectedSoon(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((each) => each !== wake);
        reject(new NoAnswer(`not connected to ${this.#connection}`));
      }, timeoutMs);
      const wake = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiting.push(wake);
    });
  }
}

function readRefusal(error: ZooKeeperError): Refusal | null {
  const code = typeof error.getCode === "function" ? error.getCode() : 0;
  if (code === Exception.NO_NODE) return "no-node";
  if (code === Exception.NODE_EXISTS) return "node-exists";
  return code === Exception.NOT_EMPTY ? "not-empty" : null;
}
