import { machineMs } from "./clock.ts";

/**
 * Asks again until the answer is not null. An error counts as "not yet"; the last one is told when the time is up.
 * @throws Error with `what` after `withinMs`.
 */
export async function pollUntil<T>(
  what: string,
  withinMs: number,
  ask: () => Promise<T | null>,
  everyMs = 100,
): Promise<T> {
  const deadline = machineMs() + withinMs;
  let last = "";
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== null) return answer;
    } catch (error) {
      last = `: ${(error as Error).message}`;
    }
    if (machineMs() > deadline)
      throw new Error(`${what} did not happen within ${Math.round(withinMs / 1000)} s${last}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
