import { open, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { runProgram } from "../processes.ts";

/** One `syncfs` for the whole tree below `path`; file by file where that program is not there. */
export async function syncTree(path: string): Promise<void> {
  const done = await runProgram("/bin/sync", ["-f", path], { runAs: null, deadlineMs: 600_000 }).catch(() => null);
  if (done?.code === 0) return;
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const handle = await open(join(entry.parentPath ?? dirname(path), entry.name), "r");
    await handle.sync().finally(() => handle.close());
  }
}
