import { lstat, readdir, readlink, rename, rm, stat, symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { syncDirectory } from "../../shared/durable-file.ts";

const maxReleases = 50;

/** Releases below `dir`: one folder a version, and a switch that is replaced as a whole. */
export async function listReleases(dir: string): Promise<string[]> {
  const entries = await readdir(join(dir, "releases"), { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory() && isVersion(entry.name)).map((entry) => entry.name);
  return names.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).slice(-maxReleases);
}

/** A version is one name, never a way through folders. */
export function isVersion(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/.test(text);
}

export async function currentRelease(dir: string): Promise<string | null> {
  return readlink(join(dir, "current")).then(
    (target) => basename(target),
    () => null,
  );
}

/** @throws Error when the release is not there. */
export async function demandRelease(dir: string, version: string): Promise<void> {
  if (!isVersion(version)) throw new Error(`${version} is not a version`);
  const found = await stat(join(dir, "releases", version)).catch(() => null);
  if (found?.isDirectory() !== true) throw new Error(`there is no release ${version} in ${join(dir, "releases")}`);
}

/** Points the switch at a release: a new link renamed over the old one, so that there is always exactly one. */
export async function switchRelease(dir: string, version: string | null): Promise<void> {
  const link = join(dir, "current");
  if (version === null) {
    await rm(link, { force: true });
    return syncDirectory(dir);
  }
  const before = await lstat(link).catch(() => null);
  if (before !== null && !before.isSymbolicLink()) throw new Error(`${link} is no link: it would be lost`);
  const next = join(dir, `.current-${version}`);
  await rm(next, { force: true });
  await symlink(join("releases", version), next);
  await rename(next, link);
  await syncDirectory(dir);
}
