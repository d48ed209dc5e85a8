import type { Command } from "commander";
import type { InDoubtView } from "../server/protocol/index.ts";
import { confirmTyped } from "./actions.ts";
import type { Api } from "./api.ts";
import { CommandError, exitCodes } from "./exit-codes.ts";
import { formatAgo, formatTable, print } from "./print.ts";

interface ResolveOptions {
  readonly cluster?: string;
  readonly reason: string;
  readonly yes: boolean;
  readonly json: boolean;
}

export function addInDoubt(program: Command, api: () => Api): void {
  const inDoubt = program.command("in-doubt").description("prepared transactions that nobody has ended");
  inDoubt
    .command("list", { isDefault: true })
    .description("all of them, oldest first, with what they block")
    .option("--json", "print JSON", false)
    .action(async ({ json }: { json: boolean }) => {
      const items = await list(api());
      print(json, items, () => (items.length === 0 ? ["Nothing is in doubt."] : tabulate(items)));
    });
  for (const [decision, words] of [
    ["commit", "make its work permanent"],
    ["rollback", "undo its work"],
  ] as const) {
    inDoubt
      .command(`${decision} <gid>`)
      .description(`${words}, when you know that the others did the same`)
      .option("--cluster <name>", "when several clusters have one of this name")
      .requiredOption("--reason <text>", "how you know: it stands in the audit")
      .option("--yes", "don't ask", false)
      .option("--json", "print JSON", false)
      .action((gid: string, options: ResolveOptions) => resolve(api(), gid, decision, options));
  }
}

async function list(api: Api): Promise<readonly InDoubtView[]> {
  return (await api.get<{ items: readonly InDoubtView[] }>("in-doubt")).items;
}

function tabulate(items: readonly InDoubtView[]): string[] {
  const nowMs = Date.now();
  return formatTable(
    ["gid", "cluster", "database", "owner", "prepared", "locks", "waiting", "since its begin"],
    items.map((each) => [
      each.change === null
        ? each.gid
        : `${each.gid} (${each.decided === null ? each.decision : `closed, decided ${each.decided}`})`,
      each.cluster,
      each.database,
      each.owner,
      formatAgo(each.preparedAt, nowMs),
      each.relations.join(", ") || String(each.lockCount),
      String(each.waiting),
      each.xidAge === null ? "–" : `${each.xidAge} transactions`,
    ]),
  );
}

async function resolve(api: Api, gid: string, decision: "commit" | "rollback", options: ResolveOptions): Promise<void> {
  const found = (await list(api)).filter(
    (each) => each.gid === gid && (options.cluster === undefined || each.cluster === options.cluster),
  );
  const [one] = found;
  if (one === undefined) throw new CommandError(exitCodes.refused, `${gid} is not in doubt (any more).`);
  if (found.length > 1) throw new CommandError(exitCodes.usage, `Several clusters have a ${gid}: add --cluster.`);
  if (!options.yes) {
    for (const line of tabulate([one])) console.error(line);
    await confirmTyped(gid);
  }
  const { cluster, database } = one;
  const body = { cluster, database, gid, decision, confirm: gid, reason: options.reason };
  const done = await api.send<{ resolved: boolean; node: string }>("POST", "in-doubt/resolve", body);
  print(options.json, done, () => [
    done.resolved
      ? `${gid} was ${decision === "commit" ? "committed" : "rolled back"} on ${done.node}.`
      : `${done.node} was asked; ${gid} is still there. Look at \`holdfast audit\`.`,
  ]);
  if (!done.resolved) throw new CommandError(exitCodes.actionFailed, "");
}
