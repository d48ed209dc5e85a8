import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Demo, type DemoOptions } from "../demo/demo.ts";
import { makeTemporaryFolder } from "../demo/folder.ts";
import { runSetup } from "../scripts/setup.js";
import { untilSignalled } from "./signals.ts";

export interface DemoRunOptions {
  readonly port: number;
  /** Data and logs are kept there; null: a temporary folder, removed afterwards. */
  readonly folder: string | null;
  readonly onAcknowledged?: DemoOptions["onAcknowledged"];
  /** With the web shop; left out by default, for it takes a part of the machine. */
  readonly shop?: boolean;
}

const writesPerSecond = 100;

/**
 * Builds what is missing, starts a demo of its own, does the work with it and ends every process again, also after a failure or a signal.
 */
export async function withDemo<T>(options: DemoRunOptions, work: (demo: Demo) => Promise<T>): Promise<T> {
  const say = (line: string) => console.log(`  ${line}`);
  await runSetup(say);
  const folder = options.folder ?? makeTemporaryFolder("holdfast-bench-");
  const demo = new Demo({
    root: dirname(dirname(fileURLToPath(import.meta.url))),
    folder: join(folder, "cluster"),
    basePort: options.port,
    keep: false,
    writesPerSecond,
    shop: options.shop ?? false,
    say,
    ...(options.onAcknowledged ? { onAcknowledged: options.onAcknowledged } : {}),
  });
  const ending = untilSignalled();
  try {
    return await Promise.race([demo.start().then(() => work(demo)), ending]);
  } finally {
    await demo.stop();
    if (options.folder === null) rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a benchmark's main function as the process: its answer is the exit code, an error ends it with a sentence. */
export async function runMain(main: () => Promise<number>): Promise<never> {
  try {
    process.exit(await main());
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}
