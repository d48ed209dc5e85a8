import { readdirSync, readlinkSync } from "node:fs";
import { hasCode } from "../shared/durable-file.ts";
import { monotonicMs } from "../shared/time.ts";

/** Files of processes that are looked at in one round, and without a pause: heartbeats must not wait. */
const filesARound = 8_000;
const filesAtOnce = 200;
/** In the long run; each costs some ten microseconds. Where connections come and go without end, new ones wait for their turn. */
const filesPerSecond = 200;

/** Processes that belong together under a name. */
export interface Watched {
  readonly name: string;
  readonly kind: "service" | "database" | "cache";
  readonly pids: readonly number[];
}

export interface OwnersFound {
  /** Inode → whose socket it is. */
  readonly owners: ReadonlyMap<number, Watched>;
  /** Names whose processes may not be looked into, and whether there was more to look at than one round takes. */
  readonly forbidden: readonly string[];
  readonly isCutShort: boolean;
}

/**
 * Which socket belongs to which of the watched processes: their open files are links named `socket:[inode]`. Where nothing is new since the
 * last look, no process is looked into, and a look at many files is followed by a rest.
 */
export class SocketOwners {
  #known = new Map<number, Watched | null>();
  #pids = "";
  #restUntilMs = Number.NEGATIVE_INFINITY;

  /** `inodes`: those that matter. The first of `watched` that holds one is its owner. */
  async find(watched: readonly Watched[], inodes: ReadonlySet<number>): Promise<OwnersFound> {
    const pids = JSON.stringify(watched.map((each) => [each.name, each.pids]));
    const isNew = pids !== this.#pids || [...inodes].some((inode) => !this.#known.has(inode));
    const forbidden = new Set<string>();
    let isCutShort = false;
    const nowMs = monotonicMs();
    if (isNew && nowMs >= this.#restUntilMs) {
      // A socket may have come before its process was known, or go to a child: what belonged to nobody is asked for again.
      const found = new Map<number, Watched>();
      const files = await look(watched, inodes, found, forbidden);
      isCutShort = files > filesARound;
      this.#restUntilMs = nowMs + (files / filesPerSecond) * 1_000;
      this.#pids = pids;
      this.#known = new Map([...inodes].map((inode) => [inode, found.get(inode) ?? null]));
    }
    const owners = new Map<number, Watched>();
    for (const inode of inodes) {
      const owner = this.#known.get(inode);
      if (owner != null) owners.set(inode, owner);
    }
    return { owners, forbidden: [...forbidden], isCutShort };
  }
}

/** The number of files that were looked at; more than `filesARound` when there were more than one round takes. */
async function look(
  watched: readonly Watched[],
  inodes: ReadonlySet<number>,
  found: Map<number, Watched>,
  forbidden: Set<string>,
): Promise<number> {
  let files = 0;
  for (const each of watched) {
    for (const pid of each.pids) {
      for (const name of listFiles(pid, () => forbidden.add(each.name))) {
        files += 1;
        if (files > filesARound) return files;
        if (files % filesAtOnce === 0) await new Promise((resolve) => setImmediate(resolve));
        const inode = readSocket(`/proc/${pid}/fd/${name}`);
        if (inode !== null && inodes.has(inode) && !found.has(inode)) found.set(inode, each);
      }
    }
  }
  return files;
}

function listFiles(pid: number, onForbidden: () => void): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`);
  } catch (error) {
    if (hasCode(error, "EACCES") || hasCode(error, "EPERM")) onForbidden();
    return [];
  }
}

function readSocket(path: string): number | null {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1];
    return inode === undefined ? null : Number(inode);
  } catch {
    return null;
  }
}
