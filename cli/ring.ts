import { readFileSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import type { RingChange } from "../server/core/index.ts";
import type { KeyLocationView, KeySpacePlanView, KeySpaceView } from "../server/protocol/index.ts";
import type { Api } from "./api.ts";
import { CommandError, exitCodes } from "./exit-codes.ts";
import { formatBytes, formatTable, print } from "./print.ts";

interface ChangeOptions {
  readonly add: readonly RingChange[];
  readonly weight: readonly RingChange[];
  readonly drain: readonly RingChange[];
  readonly remove: readonly RingChange[];
  readonly json: boolean;
}

interface CountOptions {
  readonly keys?: number | "unknown";
  readonly bytes?: number | "unknown";
  readonly json: boolean;
}

/** `holdfast ring …` */
export function addRings(program: Command, api: () => Api): void {
  const ring = program.command("ring").description("key spaces on consistent-hash rings");
  ring
    .command("list", { isDefault: true })
    .description("all key spaces, with who owns how much")
    .option("--json", "print JSON", false)
    .action(async ({ json }: { json: boolean }) => {
      const { items } = await api().get<{ items: readonly KeySpaceView[] }>("rings");
      print(json, items, () => (items.length === 0 ? ["No key spaces yet."] : items.flatMap(describeSpace)));
    });
  ring
    .command("register <file>")
    .description('register a key space from a JSON file: {"id", "nodes": [{"id", "weight", "zone"}], "copies", …}')
    .requiredOption("--reason <text>", "why: it stands in the audit")
    .option("--json", "print JSON", false)
    .action(async (file: string, { reason, json }: { reason: string; json: boolean }) => {
      const body = { ...(JSON.parse(readFileSync(file, "utf8")) as { id: string }), reason };
      const done = await api().send<{ epoch: number }>("POST", "rings", body);
      print(json, done, () => [`${body.id} is registered, epoch ${done.epoch}.`]);
    });
  ring
    .command("locate <space> <key>")
    .description("who owns a key, where its copies go, and why")
    .option("--copies <n>", "as many copies (default: what the key space keeps)")
    .option("--json", "print JSON", false)
    .action(async (space: string, key: string, { copies, json }: { copies?: string; json: boolean }) => {
      const query = new URLSearchParams({ key, ...(copies === undefined ? {} : { copies }) });
      const found = await api().get<KeyLocationView>(`${pathOf(space)}/locate?${query}`);
      print(json, found, () => describeLocation(found));
    });
  withChanges(ring.command("plan <space>").description("what a change would move, beside k mod n; changes nothing"))
    .option("--json", "print JSON", false)
    .action(async (space: string, options: ChangeOptions) => {
      const plan = await readPlan(api(), space, options);
      print(options.json, plan, () => describePlan(plan));
    });
  withChanges(ring.command("apply <space>").description("make a change the next epoch of the key space"))
    .requiredOption("--reason <text>", "why: it stands in the audit")
    .option("--plan <hash>", "only under this plan, as it was shown before")
    .option("--yes", "don't ask: nothing is applied without it", false)
    .option("--json", "print JSON", false)
    .action(async (space: string, options: ChangeOptions & { reason: string; plan?: string; yes: boolean }) => {
      const plan = await readPlan(api(), space, options);
      if (!options.json) for (const line of describePlan(plan)) console.log(line);
      if (options.plan !== undefined && options.plan !== plan.planHash) {
        throw new CommandError(exitCodes.refused, `The key space has changed since plan ${options.plan}. Look again.`);
      }
      if (!options.yes) throw new CommandError(exitCodes.refused, "Nothing was applied: add --yes when this is meant.");
      const { changes, planHash } = plan;
      const body = { changes, planHash, reason: options.reason, confirm: space };
      const done = await api().send<{ epoch: number }>("POST", `${pathOf(space)}/apply`, body);
      print(options.json, { ...plan, ...done }, () => [`Epoch ${done.epoch} is in force.`]);
    });
  ring
    .command("count <space>")
    .description("say how many keys and bytes lie in a key space, so that plans can speak of them")
    .option("--keys <n>", "keys, or `unknown` (default: as it was)", readCount)
    .option("--bytes <n>", "bytes, or `unknown` (default: as it was)", readCount)
    .option("--json", "print JSON", false)
    .action(async (space: string, { keys, bytes, json }: CountOptions) => {
      if (keys === undefined && bytes === undefined)
        throw new CommandError(exitCodes.usage, "Say what was counted: --keys, --bytes or both.");
      const before = await api().get<KeySpaceView>(pathOf(space));
      const pick = (said: number | "unknown" | undefined, known: number | null) =>
        said === undefined ? known : said === "unknown" ? null : said;
      const counts = { keys: pick(keys, before.keys), bytes: pick(bytes, before.bytes) };
      await api().send("PUT", `${pathOf(space)}/counts`, counts);
      print(json, { id: space, ...counts }, () => [
        `${space}: ${counts.keys ?? "an unknown number of"} keys, ${counts.bytes === null ? "an unknown size" : formatBytes(counts.bytes)}.`,
      ]);
    });
  ring
    .command("remove <space>")
    .description("forget a key space: nobody can ask any more who owns a key of it; no data is touched")
    .requiredOption("--reason <text>", "why: it stands in the audit")
    .option("--yes", "don't ask: nothing is removed without it", false)
    .option("--json", "print JSON", false)
    .action(async (space: string, { reason, yes, json }: { reason: string; yes: boolean; json: boolean }) => {
      const { epoch } = await api().get<KeySpaceView>(pathOf(space));
      if (!yes)
        throw new CommandError(
          exitCodes.refused,
          `Nothing was removed: add --yes when ${space}, now at epoch ${epoch}, is meant.`,
        );
      const done = await api().send("DELETE", pathOf(space), { reason, confirm: space });
      print(json, done, () => [`${space} is removed.`]);
    });
}

function withChanges(command: Command): Command {
  return command
    .option("--add <node=weight@zone>", "a new node; weight and zone may be left out", collect(readAdded), [])
    .option("--weight <node=weight>", "another weight", collect(readWeight), [])
    .option(
      "--drain <node>",
      "a node shall own nothing",
      collect((id) => ({ kind: "drain", id })),
      [],
    )
    .option(
      "--remove <node>",
      "a node leaves the list",
      collect((id) => ({ kind: "remove", id })),
      [],
    );
}

function collect(read: (text: string) => RingChange) {
  return (text: string, before: readonly RingChange[]): readonly RingChange[] => [...before, read(text)];
}

function readAdded(text: string): RingChange {
  const match = /^([^=]+?)(?:=([\d.]+))?(?:@([^=@]+))?$/.exec(text);
  if (match?.[1] === undefined) throw new InvalidArgumentError("Write it as node=1@zone.");
  return { kind: "add", node: { id: match[1], weight: Number(match[2] ?? 1), zone: match[3] ?? null } };
}

function readWeight(text: string): RingChange {
  const match = /^(.+)=([\d.]+)$/.exec(text);
  if (match?.[1] === undefined) throw new InvalidArgumentError("Write it as node=2.");
  return { kind: "weight", id: match[1], weight: Number(match[2]) };
}

function readCount(text: string): number | "unknown" {
  if (text === "unknown") return text;
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(Number(text)))
    throw new InvalidArgumentError("Write a whole number, or `unknown`.");
  return Number(text);
}

function readPlan(api: Api, space: string, options: ChangeOptions): Promise<KeySpacePlanView> {
  const changes = [...options.add, ...options.weight, ...options.drain, ...options.remove];
  if (changes.length === 0) {
    throw new CommandError(exitCodes.usage, "Say what shall change: --add, --weight, --drain or --remove.");
  }
  return api.send<KeySpacePlanView>("POST", `${pathOf(space)}/plan`, { changes });
}

function pathOf(space: string): string {
  return `rings/${encodeURIComponent(space)}`;
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`;

function describeSpace(space: KeySpaceView): string[] {
  const bound = space.loadBound === null ? "" : `, load bound ${percent(space.loadBound)}`;
  return [
    `${space.id}: epoch ${space.epoch}, ${space.vnodes} virtual nodes each, ${space.copies} copies${bound}, balance ${space.balance?.toFixed(3) ?? "–"}`,
    ...formatTable(
      ["  node", "zone", "weight", "owns"],
      space.ownership.map(({ id, zone, weight, share }) => [`  ${id}`, zone ?? "–", `${weight}`, percent(share)]),
    ),
    "",
  ];
}

function describeLocation(found: KeyLocationView): string[] {
  const why = {
    owner: "owns it",
    "new-zone": "another zone",
    "zone-taken": "its zone has a copy",
    "no-zone-left": "no further zone",
  };
  const rows = found.walk.map((step) => [
    step.copy === null ? "–" : `${step.copy}`,
    step.node,
    step.zone ?? "–",
    `${why[step.why]}${step.atBound ? "; at its load bound, passed it on" : ""}`,
  ]);
  return [
    `${found.key}: ${found.copies.join(", ") || "nobody"} (position ${found.position}, epoch ${found.epoch})`,
    ...formatTable(["copy", "node", "zone", "why"], rows),
  ];
}

function describePlan(plan: KeySpacePlanView): string[] {
  const rows = plan.ownership.map((each) => [
    each.node,
    each.zone ?? "–",
    `${each.weightBefore} → ${each.weightAfter}`,
    `${percent(each.shareBefore)} → ${percent(each.shareAfter)}`,
  ]);
  const keys = plan.keysMoved === null ? "" : `, ${plan.keysMoved} keys, ${formatBytes(plan.bytesCopied)}`;
  return [
    `Plan ${plan.planHash} of ${plan.keySpace}, epoch ${plan.epoch}`,
    `  moves ${percent(plan.movedShare)} of the keys${keys}; the least possible is ${percent(plan.minimalShare)}; k mod n would move ${percent(plan.moduloShare)}`,
    `  balance ${plan.balanceBefore?.toFixed(3) ?? "–"} → ${plan.balanceAfter?.toFixed(3) ?? "–"}`,
    ...formatTable(["node", "zone", "weight", "owns"], rows),
  ];
}
