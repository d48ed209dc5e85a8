import { rmSync } from "node:fs";
import { Demo, writeRunning } from "./demo.ts";
import { faultNames, faultSentences, shopFaultNames, shopFaultSentences } from "./fault-names.ts";
import { chooseDataFolder } from "./folder.ts";

/** What `demo/main.js` hands over once everything is built. */
export interface RunOptions {
  readonly root: string;
  readonly basePort: number;
  readonly keep: boolean;
  /** With a Redis Cluster beside PostgreSQL. */
  readonly redis: boolean;
  /** Where the data goes; null: a folder chosen for this checkout. */
  readonly folder: string | null;
  /** Where the `break` command finds the running demo. */
  readonly runningPath: string;
  readonly say: (line: string) => void;
  /** Resolves when the person (or the system) wants the demo to end. */
  readonly signalled: Promise<unknown>;
}

const writesPerSecond = 100;

/** Runs the demo until it is told to end; leaves no process behind, whatever happened. */
export async function runDemo(options: RunOptions): Promise<void> {
  const { root, basePort, keep, redis, runningPath, say, signalled } = options;
  const folder = options.folder ?? chooseDataFolder(root);
  const demo = new Demo({ root, basePort, keep, redis, say, writesPerSecond, folder });
  let ended = false;
  try {
    const started = demo.start().then(async () => {
      if (ended) return;
      writeRunning(runningPath, demo);
      tell(await demo.controlPlane.makeSignInLink(), options.folder === null ? "" : ` --data ${options.folder}`);
    });
    // An early Ctrl-C makes the start fail later on, unheard.
    started.catch(() => undefined);
    await Promise.race([started.then(() => signalled), signalled]);
  } finally {
    ended = true;
    console.log("\nStopping…");
    rmSync(runningPath, { force: true });
    await demo.stop();
    console.log("Stopped. No process is left.");
  }
}

function tell(signInUrl: string, data: string): void {
  const width = Math.max(...faultNames.map((name) => name.length));
  console.log(`
Open (one-time sign-in link, valid for an hour):

    ${signInUrl}

Break something, here or on the page; each acts on the primary unless you name a node:

${faultNames.map((name) => `    npm run demo -- break ${name.padEnd(width)}${data}   ${faultSentences[name]}`).join("\n")}

Or in the web shop (gateway → orders → payments → PostgreSQL, and a cache):

${shopFaultNames.map((name) => `    npm run demo -- break ${name.padEnd(width)}${data}   ${shopFaultSentences[name]}`).join("\n")}
    npm run demo -- break ${"heal".padEnd(width)}${data}   undo all of it: what was dead starts again

Ctrl-C ends the demo.`);
}
