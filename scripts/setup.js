// Makes a fresh clone ready: packages, database client, screens, bundles. Every step is skipped while its inputs are unchanged.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { buildBundles } from "./bundles.js";
import { ensureInstalled } from "./install.js";
import { releaseLock, takeLock } from "./lock.js";
import { hashInputs, isFresh, writeStamp } from "./stamp.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lockPath = join(root, "node_modules", ".cache", "holdfast", "setup.lock");
const lockWaitMs = 300_000;

/** Run after the packages are there. `make` throws with a sentence when it fails. */
const steps = [
  {
    name: "database-client",
    title: "Generating the database client",
    inputs: ["prisma/schema.prisma", "prisma.config.ts", "package-lock.json"],
    outputs: ["server/store/generated"],
    make: () =>
      runTool("prisma/build/index.js", ["generate"], {
        // The generator needs no native engine; without this the command would try to download one.
        PRISMA_SCHEMA_ENGINE_BINARY: "/bin/true",
        CHECKPOINT_DISABLE: "1",
      }),
  },
  {
    name: "screens",
    title: "Building the screens (about half a minute)",
    inputs: [
      "app",
      "components",
      "messages",
      "server/protocol",
      "server/core",
      "next.config.js",
      "postcss.config.mjs",
      "tsconfig.json",
      "package-lock.json",
    ],
    outputs: [".next/BUILD_ID"],
    make: () => runTool("next/dist/bin/next", ["build"], { NEXT_TELEMETRY_DISABLED: "1" }),
  },
  {
    name: "bundles",
    title: "Bundling the agent, the server and the command line",
    inputs: ["agents", "server", "cli", "demo", "prisma", "scripts/bundles.js", "package-lock.json"],
    outputs: ["dist/agent.js", "dist/server.js", "dist/cli.js", "dist/supervisor.js", "dist/writer.js", "dist/shop.js"],
    make: () => buildBundles(root),
  },
];

/** Runs a package's command line with its output kept back; it is shown only when the command fails. */
function runTool(entry, args, environment) {
  const script = createRequire(join(root, "package.json")).resolve(entry);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      cwd: root,
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const keep = (chunk) => {
      output = (output + chunk).slice(-20_000);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`${entry} ${args.join(" ")} ended with code ${code}:\n${output}`)),
    );
  });
}

async function waitForLock(say) {
  const deadline = process.uptime() * 1000 + lockWaitMs;
  for (let told = false; ; ) {
    const holder = takeLock(lockPath);
    if (holder === null) return;
    if (!told) say(`Waiting for another set-up of this checkout (process ${holder})`);
    told = true;
    if (process.uptime() * 1000 > deadline) {
      throw new Error(`Process ${holder} has been setting up this checkout for five minutes. End it and try again.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Does what is missing, a line of progress for each step. Throws with a sentence when a step fails. */
export async function runSetup(say) {
  ensureInstalled(root, say);
  await waitForLock(say);
  try {
    for (const step of steps) {
      const hash = hashInputs(root, step.inputs);
      if (isFresh(root, step.name, hash, step.outputs)) continue;
      say(step.title);
      await step.make();
      writeStamp(root, step.name, hash);
    }
  } finally {
    releaseLock(lockPath);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const startedMs = performance.now();
  runSetup((line) => console.log(`  ${line}`)).then(
    () => console.log(`Ready (${((performance.now() - startedMs) / 1000).toFixed(1)} s).`),
    (error) => {
      console.error(error.message);
      process.exitCode = 1;
    },
  );
}
