import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { findRedisBinaries } from "./plan.ts";

/** Where `redis-server` is, installing Debian's package when that is possible. @throws Error with what to do when it is not. */
export function ensureRedis(say: (line: string) => void): string {
  const found = findRedisBinaries();
  if (found !== null) return found;
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    say("Installing redis-server");
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
    // No service of its own: the demo's agents start the servers.
    const args = ["install", "-y", "-qq", "--no-install-recommends", "redis-server"];
    spawnSync("apt-get", ["update", "-qq"], { env, stdio: "ignore" });
    spawnSync("apt-get", args, { env, stdio: "ignore" });
  }
  const installed = findRedisBinaries();
  if (installed !== null) return installed;
  throw new Error(
    "--with redis needs redis-server, which is not installed. Install it (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis) and start the demo again, or leave --with redis out.",
  );
}
