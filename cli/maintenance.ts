import type { Command } from "commander";
import type { ClusterView, NodeView } from "../server/protocol/index.ts";
import type { Api } from "./api.ts";
import { CommandError, exitCodes } from "./exit-codes.ts";
import { formatInstant, formatTable, print } from "./print.ts";

interface BeginOptions {
  readonly mute: boolean;
  readonly hold: boolean;
  readonly reason: string;
  readonly minutes?: number;
  readonly json: boolean;
}

/** The two switches: mute alerts, hold automation; of a node or a cluster, with a reason and an end. */
export function addMaintenance(program: Command, api: () => Api, readCount: (text: string) => number): void {
  const maintenance = program.command("maintenance").description("mute alerts or hold automation while somebody works");
  maintenance
    .command("list", { isDefault: true })
    .option("--json", "print JSON", false)
    .action(({ json }: { json: boolean }) => listMaintenance(api(), json));
  maintenance
    .command("begin <kind> <name>")
    .description("kind: node or cluster")
    .option("--mute", "tell nobody of incidents", false)
    .option("--hold", "do nothing by itself", false)
    .option("--minutes <n>", "when it ends (default: when a person ends it)", readCount)
    .requiredOption("--reason <text>", "why: it stands in the audit and on the screens")
    .option("--json", "print JSON", false)
    .action(async (kind: string, name: string, options: BeginOptions) => {
      if (!options.mute && !options.hold) throw new CommandError(exitCodes.usage, "Choose --mute, --hold or both.");
      const until = options.minutes === undefined ? null : Date.now() + options.minutes * 60_000;
      const value = { muteAlerts: options.mute, holdAutomation: options.hold, reason: options.reason, until };
      const done = await api().send("PUT", pathOf(kind, name), { maintenance: value });
      print(options.json, done, () => [`Maintenance of ${name} has begun.`]);
    });
  maintenance
    .command("end <kind> <name>")
    .option("--json", "print JSON", false)
    .action(async (kind: string, name: string, { json }: { json: boolean }) => {
      const done = await api().send("PUT", pathOf(kind, name), { maintenance: null });
      print(json, done, () => [`Maintenance of ${name} has ended.`]);
    });
}

function pathOf(kind: string, name: string): string {
  if (kind !== "node" && kind !== "cluster")
    throw new CommandError(exitCodes.usage, "The kind is `node` or `cluster`.");
  return `${kind}s/${encodeURIComponent(name)}/maintenance`;
}

async function listMaintenance(api: Api, json: boolean): Promise<void> {
  const [nodes, clusters] = await Promise.all([
    api.get<{ items: readonly NodeView[] }>("nodes"),
    api.get<{ items: readonly ClusterView[] }>("clusters"),
  ]);
  const items = [
    ...clusters.items.map((each) => ({ kind: "cluster", id: each.id, maintenance: each.maintenance })),
    ...nodes.items.map((each) => ({ kind: "node", id: each.id, maintenance: each.maintenance })),
  ].flatMap(({ maintenance, ...each }) => (maintenance === null ? [] : [{ ...each, ...maintenance }]));
  print(json, items, () =>
    items.length === 0
      ? ["No maintenance."]
      : formatTable(
          ["what", "name", "alerts", "automation", "by", "until", "why"],
          items.map((each) => [
            each.kind,
            each.id,
            each.muteAlerts ? "muted" : "on",
            each.holdAutomation ? "held" : "on",
            each.by,
            each.until === null ? "ended by a person" : formatInstant(each.until),
            each.reason,
          ]),
        ),
  );
}
