import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type LeaseTimes, readLease, retryAt } from "./lease-clock.ts";

export {
  FencedResource,
  fencePostgres,
  fenceTable,
  type SqlClient,
  StaleTokenError,
  type TokenMemory,
} from "./fenced-resource.ts";

const longPollMs = 20_000;
/** Beyond the long poll itself. */
const answerMs = 5_000;

export interface LockClientOptions {
  /** Of the control plane, e.g. `https://holdfast.example:7400`. */
  readonly url: string;
  /** An API token of the role application. */
  readonly token: string;
}

export interface AcquireOptions {
  /** A provider's name; the control plane's PostgreSQL when left out. */
  readonly provider?: string;
  /** How long the lock is kept without a renewal; renewed by itself while it is held. */
  readonly ttlMs?: number;
  /** How long to wait for it; 0: only try. */
  readonly waitMs?: number;
  /** Who holds it, for people: shown on the screen. */
  readonly holder?: string;
  /** Gives up waiting. */
  readonly signal?: AbortSignal;
}

/** The server's refusal: `code` is stable, the message is a sentence for a person. */
export class LockError extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly status: number,
  ) {
    super(message);
    this.name = "LockError";
  }
}

/** The lock of the control plane, held: renewed by itself until `release` or until it is lost. */
export interface HeldLock {
  readonly name: string;
  readonly provider: string;
  /** Give it to the resource with every write: it refuses an older one than it has seen. */
  readonly fencingToken: number;
  /** Aborted with a `LockError` (code `lock-lost`) when the lock is lost. */
  readonly signal: AbortSignal;
  /** Milliseconds that are certainly left; 0 when lost. */
  readonly leftMs: number;
  /** False when it was lost before. */
  release(): Promise<boolean>;
}

type Answer = { readonly provider: string; readonly leftMs: number } & (
  | { readonly kind: "granted"; readonly token: number }
  | { readonly kind: "waiting"; readonly place: number }
);

export class LockClient {
  readonly #url: string;
  readonly #token: string;

  constructor({ url, token }: LockClientOptions) {
    this.#url = url.replace(/\/$/, "");
    this.#token = token;
  }

  /** @throws LockError `lock-busy` when it was not free in time */
  async acquire(name: string, options: AcquireOptions = {}): Promise<HeldLock> {
    const { provider = null, ttlMs = 15_000, waitMs = 60_000, holder = "", signal } = options;
    const requestId = randomUUID();
    const request = { name, provider, requestId };
    const deadlineMs = performance.now() + waitMs;
    let asked = 0;
    for (;;) {
      signal?.throwIfAborted();
      const sentAtMs = performance.now();
      const pollMs = Math.max(0, Math.round(Math.min(longPollMs, deadlineMs - sentAtMs)));
      const answer = await this.#tryAcquire({ ...request, ttlMs, holder, waitMs: pollMs }, pollMs, signal).catch(
        (error) => this.#withdrawOn(error, request),
      );
      if (answer?.kind === "granted") {
        // A lease counts from when it was asked for; after a long wait that is long ago, so it is asked for once more: the same grant is answered.
        const waitedMs = performance.now() - sentAtMs;
        if (waitedMs > ttlMs / 10 && asked++ === 0) continue;
        const lease = readLease(sentAtMs, answer.leftMs);
        return new RenewedLock(this, { ...request, provider: answer.provider }, answer.token, ttlMs, lease);
      }
      if (performance.now() >= deadlineMs) {
        await this.#withdrawOn(null, request);
        const place = answer === null ? "" : ` (place ${answer.place} in the queue)`;
        throw new LockError(`The lock ${name} was not free within ${waitMs} ms${place}.`, "lock-busy", 409);
      }
      if (answer === null) await sleep(200);
    }
  }

  /** Holds the lock around the work. The work gets the lock and has to stop when its signal is aborted. */
  async run<T>(name: string, options: AcquireOptions, work: (lock: HeldLock) => Promise<T>): Promise<T> {
    const lock = await this.acquire(name, options);
    try {
      return await work(lock);
    } finally {
      await lock.release().catch(() => false);
    }
  }

  /** One call; null when no answer came, so that it may be asked again with the same id. */
  async #tryAcquire(body: object, pollMs: number, signal: AbortSignal | undefined): Promise<Answer | null> {
    try {
      return await this.call<Answer>("locks/acquire", body, pollMs + answerMs, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof LockError && error.status < 500 && error.status !== 429) throw error;
      return null;
    }
  }

  async #withdrawOn(error: unknown, request: object): Promise<null> {
    await this.call("locks/withdraw", request, 2_000).catch(() => {});
    if (error !== null) throw error;
    return null;
  }

  /** @throws LockError for an answer that says no; any other error means that none came */
  async call<T>(path: string, body: object, timeoutMs: number, signal?: AbortSignal): Promise<T> {
    const timeout = AbortSignal.timeout(Math.max(1, Math.round(timeoutMs)));
    const response = await fetch(`${this.#url}/api/v1/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${this.#token}` },
      body: JSON.stringify(body),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    const answer = response.status === 204 ? {} : await response.json().catch(() => ({}));
    if (response.ok) return answer as T;
    const { detail, title, code } = answer as { detail?: string; title?: string; code?: string };
    throw new LockError(
      detail ?? title ?? `The server answered ${response.status}.`,
      code ?? "unknown",
      response.status,
    );
  }
}

class RenewedLock implements HeldLock {
  readonly name: string;
  readonly provider: string;
  readonly fencingToken: number;
  readonly #client: LockClient;
  readonly #request: { readonly name: string; readonly provider: string; readonly requestId: string };
  readonly #ttlMs: number;
  readonly #lost = new AbortController();
  #lease: LeaseTimes;
  #over = false;
  #renewal: NodeJS.Timeout | undefined;
  #end: NodeJS.Timeout | undefined;

  constructor(
    client: LockClient,
    request: { readonly name: string; readonly provider: string; readonly requestId: string },
    token: number,
    ttlMs: number,
    lease: LeaseTimes,
  ) {
    this.#client = client;
    this.#request = request;
    this.#ttlMs = ttlMs;
    this.#lease = lease;
    this.name = request.name;
    this.provider = request.provider;
    this.fencingToken = token;
    this.#plan(lease.renewAtMs);
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  get leftMs(): number {
    return this.#over ? 0 : Math.max(0, this.#lease.untilMs - performance.now());
  }

  async release(): Promise<boolean> {
    if (this.#over) return false;
    this.#stop();
    const answer = await this.#client.call<{ released: boolean }>(
      "locks/release",
      { ...this.#request, token: this.fencingToken },
      answerMs,
    );
    return answer.released;
  }

  #plan(renewAtMs: number): void {
    clearTimeout(this.#renewal);
    clearTimeout(this.#end);
    const nowMs = performance.now();
    this.#renewal = setTimeout(() => void this.#renew(), Math.max(0, renewAtMs - nowMs));
    this.#end = setTimeout(
      () => this.#lose("its lease ran out without a renewal"),
      Math.max(0, this.#lease.untilMs - nowMs),
    );
  }

  async #renew(): Promise<void> {
    const sentAtMs = performance.now();
    if (sentAtMs >= this.#lease.untilMs) return this.#lose("its lease ran out while this process was paused");
    try {
      const body = { ...this.#request, token: this.fencingToken, ttlMs: this.#ttlMs };
      const { leftMs } = await this.#client.call<{ leftMs: number }>(
        "locks/renew",
        body,
        this.#lease.untilMs - sentAtMs,
      );
      if (this.#over) return;
      this.#lease = readLease(sentAtMs, leftMs);
      this.#plan(this.#lease.renewAtMs);
    } catch (error) {
      if (this.#over) return;
      if (error instanceof LockError && error.status < 500 && error.status !== 429) return this.#lose(error);
      const again = retryAt(this.#lease, performance.now());
      if (again === null) this.#lose("no renewal was answered before its lease ran out");
      else this.#plan(again);
    }
  }

  #lose(why: string | LockError): void {
    if (this.#over) return;
    this.#stop();
    const reason = typeof why === "string" ? `The lock ${this.name} is lost: ${why}. Stop the work.` : why.message;
    this.#lost.abort(new LockError(reason, "lock-lost", 409));
  }

  #stop(): void {
    this.#over = true;
    clearTimeout(this.#renewal);
    clearTimeout(this.#end);
  }
}
