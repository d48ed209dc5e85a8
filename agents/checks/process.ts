import { readdir, readFile } from "node:fs/promises";
import type { CheckConfig } from "../config/schema.ts";
import { isAlive } from "../drivers/postgres/processes.ts";
import type { Finding } from "./runner.ts";

/** Whether a process is there: by its pid file, or by its name (Linux). */
export async function checkProcess(check: Extract<CheckConfig, { kind: "process" }>): Promise<Finding> {
  if (check.pidFile !== undefined) {
    const pid = Number.parseInt(await readFile(check.pidFile, "utf8"), 10);
    if (!Number.isInteger(pid) || pid <= 0) return { ok: false, detail: `${check.pidFile} holds no pid` };
    return (await isAlive(pid)) ? { ok: true, detail: `pid ${pid}` } : { ok: false, detail: `pid ${pid} is gone` };
  }
  const name = check.command ?? check.name;
  let count = 0;
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const command = await readFile(`/proc/${entry}/comm`, "utf8").catch(() => "");
    // The kernel keeps 15 characters of a name.
    if (command.trim() !== "" && command.trim() === name.slice(0, 15)) count += 1;
  }
  return count > 0 ? { ok: true, detail: `${count} running` } : { ok: false, detail: `no process named ${name}` };
}
