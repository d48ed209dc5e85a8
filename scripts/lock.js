// A lock that a killed process can't hold for ever: a file with its owner's pid, taken over when that process is gone.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Takes the lock and answers `null`, or answers with the pid of the living process that holds it. */
export function takeLock(path) {
  mkdirSync(dirname(path), { recursive: true });
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      writeFileSync(path, `${process.pid}\n`, { flag: "wx" });
      return null;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const holder = readHolder(path);
    if (holder !== null && holder !== process.pid && isAlive(holder)) return holder;
    rmSync(path, { force: true });
  }
  throw new Error(`The lock ${path} can't be taken: another process keeps writing it.`);
}

/** Gives the lock back if this process still holds it. */
export function releaseLock(path) {
  if (readHolder(path) === process.pid) rmSync(path, { force: true });
}

function readHolder(path) {
  try {
    const pid = Number(readFileSync(path, "utf8").trim());
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}
