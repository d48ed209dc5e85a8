import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type Command, Option } from "commander";
import { changeKinds, changeStates } from "../server/core/changes/filter.ts";
import type { DocumentOf, RolloutPlan } from "../server/core/index.ts";
import type { ProgramView } from "../server/protocol/index.ts";
import type { Api } from "./api.ts";
import { CommandError, exitCodes } from "./exit-codes.ts";
import { formatAgo, formatCode, formatTable, print } from "./print.ts";

type Change = DocumentOf<"change">;

interface RolloutOptions {
  readonly protocol: string;
  readonly waves?: string;
  readonly watch: string;
  readonly reason: string;
  readonly sql?: string;
  /** True: every participant. */
  readonly dryRun?: string | true;
  readonly yes: boolean;
  readonly json: boolean;
}

interface ListOptions {
  readonly text?: string;
  readonly state?: string;
  readonly kind?: string;
  readonly limit: string;
  readonly json: boolean;
}

const pollMs = 250;

/** `holdfast releases | rollout | rollback | restart | config | changes`. */
export function addChanges(program: Command, api: () => Api): void {
  program
    .command("releases")
    .description("plain services: which release runs where, and how it does")
    .option("--json", "print JSON", false)
    .action(({ json }: { json: boolean }) => showReleases(api(), json));
  const rollout = (command: Command) =>
    command
      .requiredOption("--reason <text>", "why: it stands in the audit and in the change")
      .option("--protocol <name>", "2pc, 3pc or saga", "2pc")
      .option("--waves <nodes>", "nodes by wave: web-1/web-2,web-3 (default: one node, then all others)")
      .option("--watch <seconds>", "how long each wave is watched", "15")
      .option("--dry-run [participant]", "only stage and validate, on all or on this one, and discard it again")
      .option("--yes", "don't ask: a script means it", false)
      .option("--json", "print JSON", false);
  rollout(program.command("rollout <service> <version>").description("roll out a release, first on one node"))
    .option("--sql <cluster/database=file>", "statements that commit with it, by PREPARE TRANSACTION")
    .action((service: string, version: string, options: RolloutOptions) =>
      runRollout(api(), service, { kind: "release", version }, options),
    );
  const config = program.command("config").description("configuration files of services");
  rollout(config.command("apply <service> <file> <path>").description("roll out a file's new content")).action(
    async (service: string, file: string, path: string, options: RolloutOptions) => {
      const content = await readFile(path, "utf8");
      await runRollout(api(), service, { kind: "config", file, content }, options);
    },
  );
  rollout(
    config.command("revert <service> <file> <change>").description("put back what the file held before a change"),
  ).action((service: string, file: string, change: string, options: RolloutOptions) =>
    runRollout(api(), service, { kind: "config-revert", file, change }, options),
  );
  program
    .command("rollback <service>")
    .description("back to the last good version, on all nodes at once")
    .option("--to <version>", "to this one")
    .requiredOption("--reason <text>", "why")
    .option("--json", "print JSON", false)
    .action(async (service: string, { to, reason, json }: { to?: string; reason: string; json: boolean }) => {
      const path = `releases/${encodeURIComponent(service)}/rollback`;
      const begun = await api().send<{ change: string }>("POST", path, { version: to ?? null, reason });
      await follow(api(), begun.change, json);
    });
  program
    .command("restart <service>")
    .description("start every node's process again, one node after the other")
    .requiredOption("--reason <text>", "why")
    .option("--json", "print JSON", false)
    .action(async (service: string, { reason, json }: { reason: string; json: boolean }) => {
      const path = `releases/${encodeURIComponent(service)}/restart`;
      const begun = await api().send<{ change: string }>("POST", path, { reason, confirm: service });
      await follow(api(), begun.change, json);
    });
  const changes = program.command("changes").description("what was rolled out, and what became of it");
  changes
    .command("list", { isDefault: true })
    .option("--text <text>", "part of an id, service, version, file, reason, name or participant")
    .addOption(new Option("--state <state>", "how they stand").choices(changeStates))
    .addOption(new Option("--kind <kind>", "what they are").choices(changeKinds))
    .option("--limit <n>", "at most so many", "50")
    .option("--json", "print JSON", false)
    .action((options: ListOptions) => listChanges(api(), options));
  changes
    .command("show <id>")
    .option("--json", "print JSON", false)
    .action(async (id: string, { json }: { json: boolean }) => {
      const change = await api().get<Change>(`changes/${encodeURIComponent(id)}`);
      print(json, change, () => describeChange(change));
    });
  changes
    .command("stop <id>")
    .description("stop it while nothing is decided; what was switched goes back")
    .requiredOption("--reason <text>", "why")
    .option("--json", "print JSON", false)
    .action(async (id: string, { reason, json }: { reason: string; json: boolean }) => {
      await api().send("POST", `changes/${encodeURIComponent(id)}/stop`, { reason });
      await follow(api(), id, json);
    });
  changes
    .command("set-aside <id> <participant>")
    .description(
      "end a decided change without a participant that does not come back; it is told the decision when it does",
    )
    .requiredOption("--reason <text>", "why")
    .option("--json", "print JSON", false)
    .action(async (id: string, participant: string, { reason, json }: { reason: string; json: boolean }) => {
      const body = { participant, confirm: participant, reason };
      await api().send("POST", `changes/${encodeURIComponent(id)}/set-aside`, body);
      await follow(api(), id, json);
    });
}

async function showReleases(api: Api, json: boolean): Promise<void> {
  const { items } = await api.get<{ items: readonly ProgramView[] }>("releases");
  const nowMs = Date.now();
  print(json, items, () =>
    formatTable(
      ["service", "node", "version", "state", "health", "pid", "since", "releases"],
      items.flatMap(({ service, nodes }) =>
        nodes.map(({ node, connected, status }) => [
          service,
          node,
          status.version ?? "–",
          connected ? status.state : "agent away",
          status.healthy === null ? "–" : status.healthy ? "healthy" : status.health,
          status.pid === null ? "–" : String(status.pid),
          formatAgo(status.since, nowMs),
          status.releases.join(" "),
        ]),
      ),
    ),
  );
}

async function runRollout(api: Api, service: string, item: object, options: RolloutOptions): Promise<void> {
  const path = `releases/${encodeURIComponent(service)}`;
  const request = {
    item,
    protocol: options.protocol,
    waves: (options.waves ?? "")
      .split("/")
      .map((wave) => wave.split(",").filter((node) => node !== ""))
      .filter((wave) => wave.length > 0),
    watchSeconds: Number(options.watch),
    sql: options.sql === undefined ? null : await readSql(options.sql),
  };
  const plan = await api.send<RolloutPlan>("POST", `${path}/plan`, request);
  if (!options.json) for (const line of describePlan(plan)) console.log(line);
  if (!plan.runnable) throw new CommandError(exitCodes.refused, "A check blocks it. Clear it and try again.");
  if (options.dryRun !== undefined) {
    const only = options.dryRun === true ? null : options.dryRun;
    const run = await api.send<{ change: string }>("POST", `${path}/dry-run`, {
      ...request,
      only,
      reason: options.reason,
    });
    return follow(api, run.change, options.json);
  }
  if (!options.yes)
    throw new CommandError(exitCodes.refused, "Nothing was begun. Add --yes to begin it under this plan.");
  const { planHash } = plan;
  const body = { ...request, planHash, reason: options.reason, confirm: service };
  const begun = await api.send<{ change: string }>("POST", `${path}/rollout`, body);
  await follow(api, begun.change, options.json);
}

async function readSql(text: string): Promise<{ cluster: string; database: string; statements: string[] }> {
  const match = /^([a-z0-9-]+)\/([^=]+)=(.+)$/.exec(text);
  if (match === null) throw new CommandError(exitCodes.usage, "Write it as cluster/database=file.");
  const content = await readFile(match[3] as string, "utf8");
  const statements = content
    .split(/;\s*$/m)
    .map((each) => each.trim())
    .filter((each) => each !== "");
  return { cluster: match[1] as string, database: match[2] as string, statements };
}

function describePlan(plan: RolloutPlan): string[] {
  return [
    `Plan ${plan.planHash}: ${plan.service} ${plan.version} by ${plan.protocol.toUpperCase()}`,
    ...plan.waves.map((nodes, wave) => {
      const before = nodes.map((node) => `${node} (${plan.before[node] ?? "nothing"})`);
      return `  wave ${wave + 1}: ${before.join(", ")}, watched for ${plan.watchMs / 1_000} s`;
    }),
    ...plan.checks.map(({ status, code, data }) => `  ${status.padEnd(5)} ${formatCode(code, data)}`),
  ];
}

/** Follows a change to its end, and the rollback that it may have led to. */
async function follow(api: Api, id: string, json: boolean): Promise<void> {
  let told = 0;
  for (;;) {
    const change = await api.get<Change>(`changes/${encodeURIComponent(id)}`).catch((error: unknown) => {
      if (error instanceof CommandError && error.exitCode === exitCodes.unreachable) return null;
      throw error;
    });
    if (change !== null && !json) {
      for (const { kind, data } of change.story.slice(told)) console.log(`  ${formatCode(kind, data)}`);
      told = change.story.length;
    }
    if (change !== null && change.closedAt !== null) {
      if (change.rolledBackBy !== null) {
        if (!json) console.log(`${change.id} is rolled back by ${change.rolledBackBy}:`);
        await follow(api, change.rolledBackBy, json);
      } else print(json, change, () => describeChange(change));
      if (change.phase === "done" && change.fault === null) return;
      if (change.transaction.cause?.code === "dry-run-passed") return;
      throw new CommandError(exitCodes.actionFailed, `${change.id} ended ${change.phase}: ${describeCause(change)}.`);
    }
    await sleep(pollMs);
  }
}

/** Why it ended badly, with the words of the participant that said no: a checker's are what has to be put right. */
function describeCause({ fault, transaction, phase, story }: Change): string {
  const code = formatCode(fault?.code ?? transaction.cause?.code ?? phase);
  const refusal = story.findLast(({ kind }) => kind === "prepare-no" || kind === "do-no");
  if (refusal === undefined) return code;
  return `${code}: ${refusal.data.target}: ${refusal.data.detail ?? "no reason given"}`;
}

async function listChanges(api: Api, { json, ...wanted }: ListOptions): Promise<void> {
  const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value !== undefined));
  const { items } = await api.get<{ items: readonly Change[] }>(`changes?${query}`);
  print(json, items, () =>
    formatTable(
      ["change", "service", "version", "protocol", "phase", "decision", "why", "by", "began"],
      items.map((each) => [
        each.id,
        each.service,
        each.version,
        each.protocol,
        each.dryRun === true ? "dry run" : each.phase,
        each.transaction.decision ?? "–",
        each.fault === null ? "" : formatCode(each.fault.code),
        each.by,
        formatAgo(each.openedAt, Date.now()),
      ]),
    ),
  );
}

function describePhase({ dryRun, closedAt, phase, transaction }: Change): string {
  if (dryRun !== true) return phase;
  if (closedAt === null) return "dry run";
  return transaction.cause?.code === "dry-run-passed" ? "dry run passed" : "dry run failed";
}

function describeChange(change: Change): string[] {
  const branches = new Map(change.transaction.branches.map((branch) => [branch.id, branch]));
  return [
    `${change.id}: ${change.service} ${change.version} by ${change.protocol.toUpperCase()}: ${describePhase(change)}`,
    ...((change.left ?? []).length === 0 ? [] : [`  away, and done when they are back: ${change.left?.join(", ")}`]),
    ...formatTable(
      ["participant", "wave", "before", "state", "detail"],
      change.targets.map(({ id, wave, before, detail }) => [
        id,
        String(wave + 1),
        before ?? "–",
        branches.get(id)?.state ?? "–",
        detail ?? "",
      ]),
    ),
  ];
}
