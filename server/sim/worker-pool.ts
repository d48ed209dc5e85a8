import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { PlayedSeed } from "./play-seed.ts";

const workerPath = fileURLToPath(new URL("./worker.ts", import.meta.url));

/**
 * Plays seeds in `jobs` processes under this process' own command line, each the next one as soon as it is free.
 *
 * @param nextSeed Null: there is none left.
 * @param onPlayed In the order in which they end, not that of the seeds.
 * @throws Error when a worker ends by itself.
 */
export async function playInWorkers(
  jobs: number,
  nextSeed: () => number | null,
  onPlayed: (played: PlayedSeed) => void,
): Promise<void> {
  const workers = Array.from({ length: jobs }, () => fork(workerPath, process.argv.slice(2)));
  try {
    await Promise.all(workers.map((worker) => feed(worker, nextSeed, onPlayed)));
  } finally {
    for (const worker of workers) worker.kill();
  }
}

function feed(
  worker: ChildProcess,
  nextSeed: () => number | null,
  onPlayed: (played: PlayedSeed) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const handOut = (): void => {
      const seed = nextSeed();
      if (seed === null) resolve();
      else worker.send(seed);
    };
    worker.on("message", (played: PlayedSeed) => {
      onPlayed(played);
      handOut();
    });
    worker.once("error", reject);
    worker.once("exit", (code, signal) => reject(new Error(`A process that played seeds ended (${signal ?? code}).`)));
    handOut();
  });
}
