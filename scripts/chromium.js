// Finds a Chromium for the browser journeys, and installs one only when there is none.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const known = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** Flags that a Chromium needs to be quiet, and to run as root. */
export const chromiumArgs = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
];

/** The path of an installed Chromium, or null. */
export function findChromium() {
  const named = process.env.CHROMIUM_PATH;
  if (named) return existsSync(named) ? named : null;
  const system = known.find((path) => existsSync(path));
  if (system !== undefined) return system;
  const { chromium } = createRequire(join(root, "package.json"))("@playwright/test");
  const bundled = chromium.executablePath();
  return existsSync(bundled) ? bundled : null;
}

/** Finds Chromium, or installs it: Playwright's own first, then the distribution's when we are root. Throws with a sentence. */
export function ensureChromium(say = () => {}) {
  const found = findChromium();
  if (found !== null) return found;
  say("Installing Chromium for the browser journeys");
  const cli = createRequire(join(root, "package.json")).resolve("@playwright/test/cli");
  run(process.execPath, [cli, "install", "chromium"]);
  if (findChromium() === null && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    run("apt-get", ["update", "-qq"]);
    run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium"]);
  }
  const installed = findChromium();
  if (installed !== null) return installed;
  throw new Error(
    "The browser journeys need Chromium, and it could not be installed here. Install Chromium or Chrome, or set CHROMIUM_PATH to one.",
  );
}

function run(command, args) {
  spawnSync(command, args, {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
}
