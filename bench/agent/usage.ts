import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** What one process has used so far and holds now. */
export interface ProcessUsage {
  readonly cpuMs: number;
  readonly rssBytes: number;
}

/** Linux counts CPU time in ticks of 10 ms on every architecture Node runs on (`getconf CLK_TCK`). */
const tickMs = 10;

/** @throws when the process is gone */
export function readUsage(pid: number): ProcessUsage {
  if (process.platform !== "linux") return readByPs(pid);
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // Fields after "(command)": state is the third of the file, utime the 14th, stime the 15th.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const cpuMs = (Number(fields[11]) + Number(fields[12])) * tickMs;
  const rss = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return { cpuMs, rssBytes: Number(rss?.[1] ?? 0) * 1024 };
}

function readByPs(pid: number): ProcessUsage {
  const { stdout } = spawnSync("ps", ["-o", "time=,rss=", "-p", String(pid)], { encoding: "utf8" });
  const match = /^\s*(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)\s+(\d+)/.exec(stdout);
  if (match === null) throw new Error(`Process ${pid} is gone.`);
  const seconds = Number(match[1] ?? 0) * 3600 + Number(match[2]) * 60 + Number(match[3]);
  return { cpuMs: seconds * 1000, rssBytes: Number(match[4]) * 1024 };
}
