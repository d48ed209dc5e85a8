import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  findPostgresProcesses,
  findProcessesIn,
  findProgramProcesses,
  isAlive,
  signalAll,
  withDescendants,
} from "./processes.ts";

/** Processes of this demo, noted so that the next start can end what a killed supervisor left behind. */
interface Note {
  readonly pid: number;
  /** A text of its command line, since a pid alone may belong to another program by now. */
  readonly mark: string;
}

function notePath(folder: string): string {
  return join(folder, "processes.json");
}

export function noteProcesses(folder: string, notes: readonly Note[]): void {
  writeFileSync(notePath(folder), JSON.stringify(notes));
}

/** Ends everything that an earlier demo in this folder left running. Answers with how many processes there were. */
export function endLeftovers(folder: string): number {
  if (!existsSync(folder)) return 0;
  const noted = readNotes(folder).filter(({ pid, mark }) => isAlive(pid) && commandLine(pid).includes(mark));
  const pids = [
    ...withDescendants(noted.map(({ pid }) => pid)),
    ...findDataFolders(folder, "PG_VERSION").flatMap(findPostgresProcesses),
    ...findProcessesIn(findDataFolders(folder, "holdfast.conf")),
    ...findProgramProcesses(findDataFolders(folder, "releases")),
  ];
  return signalAll([...new Set(pids)], "SIGKILL");
}

function readNotes(folder: string): readonly Note[] {
  try {
    return JSON.parse(readFileSync(notePath(folder), "utf8")) as readonly Note[];
  } catch {
    return [];
  }
}

function commandLine(pid: number): string {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    return spawnSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" }).stdout;
  } catch {
    return "";
  }
}

/** Data directories, known by a file of theirs, at most three levels down. */
function findDataFolders(folder: string, mark: string, depth = 3): readonly string[] {
  if (existsSync(join(folder, mark))) return [folder];
  if (depth === 0) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => findDataFolders(join(folder, entry.name), mark, depth - 1));
}
