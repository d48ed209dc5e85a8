import type { Command } from "commander";
import type { ClusterView } from "../server/protocol/index.ts";
import { confirmTyped } from "./actions.ts";
import type { Api } from "./api.ts";
import { CommandError, exitCodes } from "./exit-codes.ts";
import { print } from "./print.ts";

interface Options {
  readonly reason: string;
  readonly yes: boolean;
  readonly json: boolean;
}

/** Powers of ten, as sizes are shown everywhere else. */
const units = new Map([
  ["kB", 1e3],
  ["MB", 1e6],
  ["GB", 1e9],
]);

/** What an acknowledged write is promised. */
export function addDurability(program: Command, api: () => Api): void {
  program
    .command("durability <cluster> <mode> <value>")
    .description("what an acknowledged write is promised: sync STANDBYS, or async BYTES (kB, MB, GB)")
    .requiredOption("--reason <text>", "why")
    .option("--yes", "don't ask", false)
    .option("--json", "print JSON", false)
    .action(async (cluster: string, mode: string, value: string, { reason, yes, json }: Options) => {
      const durability = readDurability(mode, value);
      const loses = durability.mode === "async" ? "A failover may lose acknowledged writes then. " : "";
      if (!yes) await confirmTyped(cluster, `${loses}Type the cluster's name to confirm: `);
      const body = { durability, reason, confirm: cluster };
      const done = await api().send("PUT", `clusters/${encodeURIComponent(cluster)}/durability`, body);
      print(json, done, () => [`${cluster} is to be ${mode} ${value}; its page shows when that is in force.`]);
    });
}

/** `sync 1`, `async 16MB`. @throws CommandError */
export function readDurability(mode: string, value: string): ClusterView["durability"] {
  if (mode === "sync" && /^[1-9]\d?$/.test(value)) return { mode, k: Number(value) };
  const size = /^(\d{1,12})(kB|MB|GB)?$/.exec(value);
  if (mode === "async" && size !== null)
    return { mode, maxLagBytes: Number(size[1]) * (units.get(size[2] ?? "") ?? 1) };
  throw new CommandError(
    exitCodes.usage,
    "Say `sync 1` (how many standbys hold each acknowledged write) or `async 16MB` (how much WAL a failover may lose).",
  );
}
