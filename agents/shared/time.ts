/** Milliseconds of the monotonic clock. Durations are always measured by it, never by the wall clock. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A deadline passed. `what` names what was awaited. */
export class DeadlineError extends Error {
  readonly code = "timeout";
  constructor(what: string, deadlineMs: number) {
    super(`${what} took longer than ${Math.round(deadlineMs)} ms`);
    this.name = "DeadlineError";
  }
}

/** Settles as `promise` does, or rejects with a DeadlineError. The work itself is not cancelled. */
export function within<T>(promise: Promise<T>, deadlineMs: number, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new DeadlineError(what, deadlineMs)), deadlineMs);
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

/**
 * Asks again every `intervalMs` until the answer is not null, or `deadlineMs` has passed (then null).
 * The first question is asked at once.
 */
export async function poll<T>(
  ask: () => Promise<T | null> | T | null,
  options: { readonly intervalMs: number; readonly deadlineMs: number },
): Promise<T | null> {
  const end = monotonicMs() + options.deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (monotonicMs() >= end) return null;
    await sleep(options.intervalMs);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
