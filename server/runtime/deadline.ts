import type { Clock } from "../ports/clock.ts";

/** Answers with `late` when the promise has not settled within `deadlineMs`; the promise itself goes on unheard. */
export function withDeadline<T>(clock: Clock, promise: Promise<T>, deadlineMs: number, late: T): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cancel = clock.setTimer(() => resolve(late), deadlineMs);
    promise.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
