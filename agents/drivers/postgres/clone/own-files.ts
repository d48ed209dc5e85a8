import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { exists, readIfPresent, writeDurably } from "../../../shared/durable-file.ts";
import { openRules } from "../gate.ts";
import type { PostgresInstance } from "../instance.ts";

/**
 * A rewind and a clone bring the source's configuration along: its memory sizes, addresses, certificates, access rules. A host that had its own
 * keeps its own. The copies lie in the agent's state, so that an interrupted rejoin does not take the source's for them the next time.
 */

const names = ["postgresql.conf", "pg_hba.conf", "pg_ident.conf"] as const;

function folderOf({ service }: PostgresInstance): string {
  return join(service.stateDir, `${service.cluster}-own-files`);
}

/** Before anything is overwritten. A directory without a database has none of its own. */
export async function keepOwnFiles(instance: PostgresInstance): Promise<void> {
  const folder = folderOf(instance);
  if (instance.empty || (await exists(folder))) return;
  const found = await Promise.all(names.map((name) => instance.data.read(name)));
  // Behind a closed gate the operator's rules wait under another name.
  const rules = (await instance.data.read(openRules)) ?? found[1];
  const contents = [found[0], rules, found[2]];
  const unfinished = `${folder}.tmp`;
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  for (const [index, name] of names.entries()) {
    const content = contents[index];
    if (content != null) await writeDurably(join(unfinished, name), content);
  }
  await rename(unfinished, folder);
}

/** Before each start afterwards. */
export async function restoreOwnFiles(instance: PostgresInstance): Promise<void> {
  for (const name of names) {
    const content = await readIfPresent(join(folderOf(instance), name));
    if (content !== null) await instance.data.write(name, content);
  }
}

/** When the member is back. */
export async function dropKeptFiles(instance: PostgresInstance): Promise<void> {
  await rm(folderOf(instance), { recursive: true, force: true });
}
