import type { Redis } from "ioredis";
import { messageOf, within } from "../../shared/time.ts";

export interface RedisTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string | null;
  readonly password: string | null;
}

/**
 * One kept connection. Every command has a deadline; after a missed one the connection is dropped, because what comes on it later would answer
 * nobody. The client library is loaded when the first connection is made: agents without Redis don't carry it.
 */
export class RedisConnection {
  readonly target: RedisTarget;
  readonly #onClose: () => void;
  #client: Redis | null = null;
  #opening: Promise<Redis> | null = null;

  constructor(target: RedisTarget, onClose: () => void = () => undefined) {
    this.target = target;
    this.#onClose = onClose;
  }

  /** Sends one command. @throws Error as Redis says it, DeadlineError, or the error of the socket. */
  async call<T = unknown>(deadlineMs: number, command: string, ...args: readonly (string | number)[]): Promise<T> {
    const client = await this.#open(deadlineMs);
    return this.#guarded(client, client.call(command, ...args.map(String)) as Promise<T>, deadlineMs, command);
  }

  /** Sends commands together; each has its answer or its error. */
  async pipeline(
    deadlineMs: number,
    commands: readonly (readonly (string | number)[])[],
  ): Promise<readonly (readonly [Error | null, unknown])[]> {
    const client = await this.#open(deadlineMs);
    const pipeline = client.pipeline();
    for (const [name, ...args] of commands) pipeline.call(String(name), ...args.map(String));
    const answers = await this.#guarded(client, pipeline.exec(), deadlineMs, "a pipeline");
    return (answers ?? []) as readonly (readonly [Error | null, unknown])[];
  }

  /** As `pipeline`; throws the first error. */
  async all(deadlineMs: number, commands: readonly (readonly (string | number)[])[]): Promise<readonly unknown[]> {
    const answers = await this.pipeline(deadlineMs, commands);
    return answers.map(([error, value]) => {
      if (error !== null) throw error;
      return value;
    });
  }

  drop(): void {
    const client = this.#client;
    this.#client = null;
    this.#opening = null;
    client?.removeAllListeners();
    client?.on("error", () => undefined);
    client?.disconnect();
  }

  async #guarded<T>(client: Redis, work: Promise<T>, deadlineMs: number, what: string): Promise<T> {
    try {
      return await within(work, deadlineMs, what);
    } catch (error) {
      if (isReply(error)) throw error;
      if (this.#client === client) this.drop();
      throw error;
    }
  }

  #open(deadlineMs: number): Promise<Redis> {
    if (this.#client !== null) return Promise.resolve(this.#client);
    this.#opening ??= this.#connect(deadlineMs).finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #connect(deadlineMs: number): Promise<Redis> {
    const { Redis: Client } = await import("ioredis");
    const { host, port, user, password } = this.target;
    const client = new Client({
      host,
      port,
      ...(user === null ? {} : { username: user }),
      ...(password === null ? {} : { password }),
      lazyConnect: true,
      enableReadyCheck: false,
      enableOfflineQueue: true,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      connectTimeout: deadlineMs,
      retryStrategy: () => null,
    });
    let failure: Error | null = null;
    client.on("error", (error: Error) => {
      failure = error;
    });
    try {
      await within(client.connect(), deadlineMs, `connecting to ${host}:${port}`);
    } catch (error) {
      client.disconnect();
      throw failure ?? error;
    }
    this.#client = client;
    client.once("close", () => {
      if (this.#client !== client) return;
      this.#client = null;
      this.#onClose();
    });
    return client;
  }
}

/** True when Redis itself answered, with an error. */
export function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === "ReplyError";
}

/** The first word of Redis's error: `LOADING`, `NOREPLICAS`, `BUSYKEY`, `ASK`, … */
export function replyCode(error: unknown): string | null {
  return isReply(error) ? (messageOf(error).split(" ", 1)[0] ?? null) : null;
}
