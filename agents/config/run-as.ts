import { readFile, stat } from "node:fs/promises";
import type { RunAs } from "../drivers/postgres/processes.ts";

/** Uid of nobody, for a machine without a `postgres` user. */
const nobody: RunAs = { uid: 65_534, gid: 65_534 };

/**
 * The user that a service runs as: null unless the agent is root, which PostgreSQL refuses. Then, in order: what is configured, the owner of
 * the data directory, the user that the service usually has, nobody.
 * @throws Error when a configured user does not exist.
 */
export async function resolveRunAs(
  wanted: string | RunAs | null,
  dataDir: string | null,
  usual = "postgres",
): Promise<RunAs | null> {
  if (process.getuid?.() !== 0) return null;
  if (typeof wanted === "string") {
    const found = await findUser(wanted);
    if (found === null) throw new Error(`there is no user "${wanted}" on this machine`);
    return found;
  }
  if (wanted !== null) return wanted;
  const owner = dataDir === null ? null : await stat(dataDir).catch(() => null);
  if (owner !== null && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  return (await findUser(usual)) ?? nobody;
}

async function findUser(name: string): Promise<RunAs | null> {
  const text = await readFile("/etc/passwd", "utf8").catch(() => "");
  const fields = text
    .split("\n")
    .map((line) => line.split(":"))
    .find((parts) => parts[0] === name);
  return fields === undefined ? null : { uid: Number(fields[2]), gid: Number(fields[3]) };
}
