import { readOptions } from "./options.ts";
import { createPlaySeed } from "./play-seed.ts";

/** Plays each seed that the parent names, and answers with its result: see `worker-pool.ts`. */
const play = await createPlaySeed(readOptions());
process.on("message", (seed: number) => {
  void play(seed).then((played) => process.send?.(played));
});
