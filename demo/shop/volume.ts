import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";

const volumeMegabytes = 4;

/**
 * A small volume that can be filled without harming the machine: a tmpfs of its own. Without the right to mount one (no root, not Linux) it is
 * a plain folder, and `isSmall` says that it must not be filled.
 */
export function openVolume(path: string): { readonly isSmall: boolean } {
  mkdirSync(path, { recursive: true });
  if (isMounted(path)) return { isSmall: true };
  if (process.platform !== "linux" || process.getuid?.() !== 0) return { isSmall: false };
  const options = ["-t", "tmpfs", "-o", `size=${volumeMegabytes}m,mode=0755`, "tmpfs", path];
  return { isSmall: spawnSync("mount", options, { stdio: "ignore" }).status === 0 };
}

/** Lets go of it, also when a process still has a file open there. */
export function closeVolume(path: string): void {
  if (isMounted(path)) spawnSync("umount", ["-l", path], { stdio: "ignore" });
}

function isMounted(path: string): boolean {
  try {
    return readFileSync("/proc/self/mounts", "utf8").includes(` ${path} `);
  } catch {
    return false;
  }
}
