import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { type EmbeddedBinaries, findBarrier } from "./binaries.ts";
import { cleanEnvironment, findServersIn, readProcessStart, sleep } from "./processes.ts";

const run = promisify(execFile);

/** How long a server that lost its owner may take to stop. */
const orphanStopMs = 20_000;

export const superuser = "holdfast";

/** Files beside the data directory; PostgreSQL does not know them. */
function besides(dataDir: string) {
  return { password: `${dataDir}.password`, owner: `${dataDir}.owner` };
}

/**
 * Makes the data directory when there is none and takes it for this process. Answers with its real path and the password of
 * the superuser. A directory in use by a living process is refused by its pid; what a dead one left behind is cleared away.
 */
export async function claimDataDirectory(
  wanted: string,
  binaries: EmbeddedBinaries,
): Promise<{ readonly dataDir: string; readonly password: string }> {
  const parent = dirname(resolve(wanted));
  await mkdir(parent, { recursive: true });
  const dataDir = join(await realpath(parent), basename(wanted));
  await refuseUnreachable(dataDir, binaries);
  await takeOwnership(dataDir);
  await stopOrphans(dataDir);
  const password = await readOrMakePassword(dataDir);
  if (!(await isInitialized(dataDir))) await initialize(dataDir, password, binaries);
  return { dataDir, password };
}

export async function releaseDataDirectory(dataDir: string): Promise<void> {
  await rm(besides(dataDir).owner, { force: true });
}

async function refuseUnreachable(dataDir: string, { runAs }: EmbeddedBinaries): Promise<void> {
  const barrier = runAs === null ? null : await findBarrier(dataDir, runAs);
  if (runAs === null || barrier === null) return;
  throw new Error(
    `PostgreSQL can't run as root, and user ${runAs.uid} may not pass ${barrier} on the way to ${dataDir}. ` +
      "Choose a data directory that others may reach, such as /var/lib/holdfast/data, or start Holdfast as an ordinary user.",
  );
}

/** The owner is named with its start time: a number alone may belong to a later process. */
async function takeOwnership(dataDir: string): Promise<void> {
  const file = besides(dataDir).owner;
  const mine = `${process.pid} ${await readProcessStart(process.pid)}\n`;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const error = await writeFile(file, mine, { flag: "wx", mode: 0o600 }).then(
      () => null,
      (reason: NodeJS.ErrnoException) => reason,
    );
    if (error === null) return;
    if (error.code !== "EEXIST") throw error;
    const owner = await readFile(file, "utf8").catch(() => "");
    const [pid, ...start] = owner.trim().split(" ");
    if (start.length > 0 && (await readProcessStart(Number(pid))) === start.join(" ")) {
      throw new Error(
        `The data directory ${dataDir} is in use by process ${pid}. Stop it first, or choose another data directory.`,
      );
    }
    await removeStaleOwner(file, owner);
  }
  throw new Error(`Another process keeps taking the data directory ${dataDir}. Start only one Holdfast on it.`);
}

/** Moved away before it is removed: of two processes that found it stale, the second must not remove what the first has put there. */
async function removeStaleOwner(file: string, stale: string): Promise<void> {
  const aside = `${file}.${process.pid}`;
  try {
    await rename(file, aside);
  } catch {
    return;
  }
  if ((await readFile(aside, "utf8")) === stale) await rm(aside);
  else await rename(aside, file);
}

async function readPostmasterPid(dataDir: string): Promise<number | null> {
  const text = await readFile(join(dataDir, "postmaster.pid"), "utf8").catch(() => "");
  const pid = Number(text.split("\n")[0]);
  return Number.isInteger(pid) && pid > 0 ? pid : null;
}

/**
 * A server whose owner was killed goes on running without one. It is stopped (fast shutdown), so that ours can be started and watched.
 * `postmaster.pid` of a dead server is removed: after a restart of the machine its number may belong to anyone, and PostgreSQL would
 * refuse to start.
 */
async function stopOrphans(dataDir: string): Promise<void> {
  const postmaster = await readPostmasterPid(dataDir);
  let left = await findServersIn(dataDir, postmaster);
  if (postmaster !== null && left.includes(postmaster)) process.kill(postmaster, "SIGINT");
  for (let waited = 0; left.length > 0 && waited < orphanStopMs; waited += 50) {
    await sleep(50);
    left = await findServersIn(dataDir, postmaster);
  }
  if (left.length > 0) {
    throw new Error(
      `A PostgreSQL left over from an earlier start (process ${left.join(", ")}) still works in ${dataDir} and does not stop. ` +
        "End it by hand, then start again.",
    );
  }
  await rm(join(dataDir, "postmaster.pid"), { force: true });
}

async function readOrMakePassword(dataDir: string): Promise<string> {
  const file = besides(dataDir).password;
  const known = await readFile(file, "utf8").catch(() => null);
  if (known !== null) return known.trim();
  if (await isInitialized(dataDir)) {
    throw new Error(`The password file ${file} of the database in ${dataDir} is missing. Restore it from your backup.`);
  }
  const made = randomBytes(24).toString("base64url");
  await writeFile(file, `${made}\n`, { mode: 0o600 });
  return made;
}

async function isInitialized(dataDir: string): Promise<boolean> {
  return stat(join(dataDir, "global", "pg_control")).then(
    () => true,
    () => false,
  );
}

/** Beside its final name first: a start that was cut short leaves nothing half made. */
async function initialize(dataDir: string, password: string, { binDir, runAs }: EmbeddedBinaries): Promise<void> {
  const making = `${dataDir}.making-${process.pid}`;
  await rm(making, { recursive: true, force: true });
  await mkdir(making, { mode: 0o700 });
  const passwordFile = join(making, "..", `${basename(making)}.password`);
  await writeFile(passwordFile, password, { mode: 0o600 });
  try {
    if (runAs !== null) {
      await chown(making, runAs.uid, runAs.gid);
      await chown(passwordFile, runAs.uid, runAs.gid);
    }
    await run(
      join(binDir, "initdb"),
      [
        `--pgdata=${making}`,
        `--username=${superuser}`,
        `--pwfile=${passwordFile}`,
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
      ],
      { ...runAs, cwd: "/", env: cleanEnvironment(), timeout: 120_000 },
    );
    await chmod(making, 0o700);
    await rm(dataDir, { recursive: true, force: true });
    await rename(making, dataDir);
  } catch (error) {
    const detail = (error as { stderr?: string }).stderr?.trim() || (error as Error).message;
    throw new Error(`Could not make a database in ${dataDir}: ${detail}`, { cause: error });
  } finally {
    await rm(passwordFile, { force: true });
    await rm(making, { recursive: true, force: true });
  }
}
