import type { LocalProbe } from "../../server/core/index.ts";

/** Nothing came back. Every other reason is an answer: the server's own error, a refusal by its host, the end of a connection. */
const silences: ReadonlySet<string> = new Set(["timeout", "accepted-silent"]);

/**
 * What a repeated probe last said, and since when it has been failing in this way: silence is counted from the last answer, also from one that was a
 * refusal, or minutes of refused connections would make the first unanswered probe a long silence.
 */
export class ProbeRecord {
  #ok = false;
  #ms: number | null = null;
  #failingSinceMs: number | null = null;
  #reason: string | null = null;
  #known = false;

  get known(): boolean {
    return this.#known;
  }

  get ok(): boolean {
    return this.#ok;
  }

  get reason(): string | null {
    return this.#reason;
  }

  /** Answers whether the verdict flipped. */
  succeed(ms: number): boolean {
    const flipped = !this.#ok;
    this.#known = true;
    this.#ok = true;
    this.#ms = ms;
    this.#failingSinceMs = null;
    this.#reason = null;
    return flipped;
  }

  /** `sinceMs`: when the failing probe began. Answers whether the verdict or its reason changed. */
  fail(reason: string, sinceMs: number): boolean {
    const changed = this.#ok || !this.#known || this.#reason !== reason;
    if (this.#reason !== null && silences.has(reason) !== silences.has(this.#reason)) this.#failingSinceMs = null;
    this.#known = true;
    this.#ok = false;
    this.#reason = reason;
    this.#failingSinceMs ??= sinceMs;
    return changed;
  }

  reset(): void {
    this.#known = false;
    this.#ok = false;
    this.#ms = null;
    this.#failingSinceMs = null;
    this.#reason = null;
  }

  failingForMs(nowMs: number): number {
    return this.#failingSinceMs === null ? 0 : Math.max(0, nowMs - this.#failingSinceMs);
  }

  read(nowMs: number): LocalProbe {
    return { ok: this.#ok, ms: this.#ms, failingForMs: this.failingForMs(nowMs), reason: this.#reason };
  }
}
