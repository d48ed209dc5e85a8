// Runs a TypeScript entry file: `node scripts/run.js server/sim/main.ts -- --seeds 10`. Installs and builds first what is missing.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureInstalled } from "./install.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [entry, ...args] = process.argv.slice(2);
if (entry === undefined) {
  console.error("Name the file to run: node scripts/run.js FILE [ARGUMENTS]");
  process.exit(2);
}
ensureInstalled(root);
const tsx = createRequire(resolve(root, "package.json")).resolve("tsx/cli");
const outcome = spawnSync(process.execPath, [tsx, resolve(root, entry), ...args], { stdio: "inherit", cwd: root });
process.exit(outcome.status ?? 1);
