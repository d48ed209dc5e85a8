import { machineMs } from "./clock.ts";

/** Thrown by what is asked when waiting any longer is pointless. */
export class Hopeless extends Error {}

/**
 * Asks again until the answer is not null. An error counts as "not yet"; the last one is told when the time is up.
 * @throws Error with `what` after `withinMs`; a `Hopeless` at once.
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
      if (error instanceof Hopeless) throw error;
      last = `: ${(error as Error).message}`;
    }
    if (machineMs() > deadline)
      throw new Error(`${what} did not happen within ${Math.round(withinMs / 1000)} s${last}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
