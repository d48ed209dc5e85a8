// What every entry command needs first: the right Node and the packages of the lockfile.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const floor = [20, 19];

/** Ends with a sentence when this Node is too old to run Holdfast. */
export function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > floor[0] || (major === floor[0] && minor >= floor[1])) return;
  console.error(
    `Holdfast needs Node ${floor.join(".")} or newer; this is ${process.versions.node}. Install a current Node and run the command again.`,
  );
  process.exit(1);
}

/** True when node_modules holds what the lockfile names. npm writes its own copy of the lockfile at each install. */
function isInstalled(root) {
  const marker = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(marker)) return false;
  return statSync(marker).mtimeMs >= statSync(join(root, "package-lock.json")).mtimeMs - 1000;
}

/**
 * Installs the packages of the lockfile when they are missing or older than it.
 * `npm ci` of npm 11 rejects a lockfile whose platform-specific optional packages one registry copy lacks (npm/cli#9846);
 * `npm install --no-save` takes it, and the lockfile is compared afterwards.
 */
export function ensureInstalled(root, say = () => {}) {
  requireNode();
  if (isInstalled(root)) return;
  say("Installing packages (once; about a minute)");
  const lockfile = join(root, "package-lock.json");
  const before = readFileSync(lockfile, "utf8");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const outcome = spawnSync(npm, ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (outcome.status !== 0) {
    console.error(
      "npm could not install the packages. Read its message above; without a network the first run can't work.",
    );
    process.exit(1);
  }
  if (readFileSync(lockfile, "utf8") !== before) {
    console.error(
      "npm changed package-lock.json while installing. Run `git checkout package-lock.json` and try again.",
    );
    process.exit(1);
  }
}
