import { rm, stat, statfs, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CheckConfig } from "../config/schema.ts";
import type { Finding } from "./runner.ts";

/** Age of a file, room on its disk, and whether its directory can really be written. */
export async function checkFile(check: Extract<CheckConfig, { kind: "file" }>): Promise<Finding> {
  const info = await stat(check.path);
  if (check.maxAgeSeconds !== undefined) {
    const ageSeconds = Math.round((Date.now() - info.mtimeMs) / 1_000);
    if (ageSeconds > check.maxAgeSeconds) {
      return { ok: false, detail: `changed ${ageSeconds} s ago, at most ${check.maxAgeSeconds} s are allowed` };
    }
  }
  const directory = info.isDirectory() ? check.path : dirname(check.path);
  if (check.minFreeBytes !== undefined) {
    const { bavail, bsize } = await statfs(directory);
    if (bavail * bsize < check.minFreeBytes) return { ok: false, detail: `${bavail * bsize} bytes free` };
  }
  if (check.writable) {
    const probe = join(directory, `.holdfast-check-${process.pid}`);
    await writeFile(probe, "written by a holdfast check\n");
    await rm(probe, { force: true });
  }
  return { ok: true, detail: `${info.size} bytes` };
}
