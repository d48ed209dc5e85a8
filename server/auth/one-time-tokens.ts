import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../ports/clock.ts";

const lifetimeMs = 3_600_000;
const tokensKept = 100;

/**
 * Tokens that work once within the hour. Only hashes are kept, and only in memory: a restart ends them all, and makes a new
 * set-up link as long as nobody exists.
 */
export class OneTimeTokens {
  readonly #clock: Clock;
  readonly #expiry = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A fresh token, or the given one (a parent process may have chosen it). */
  issue(token: string = randomBytes(32).toString("base64url")): string {
    const oldest = this.#expiry.keys().next();
    if (this.#expiry.size >= tokensKept && !oldest.done) this.#expiry.delete(oldest.value);
    this.#expiry.set(hashOf(token), this.#clock.monoMs() + lifetimeMs);
    return token;
  }

  /** True once for a token that was issued and has not run out. */
  consume(token: string): boolean {
    const hash = hashOf(token);
    const expiresAtMs = this.#expiry.get(hash);
    this.#expiry.delete(hash);
    return expiresAtMs !== undefined && this.#clock.monoMs() < expiresAtMs;
  }
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
