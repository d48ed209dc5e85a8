import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import type { ActionView, RedisFailoverPlanView, RedisPlanView, RedisView } from "../server/protocol/index.ts";
import type { Api } from "./api.ts";
import { setAutomation } from "./automation.ts";
import { CommandError, exitCodes } from "./exit-codes.ts";
import { formatBytes, formatCode, formatTable, print } from "./print.ts";

interface MoveOptions {
  readonly reason: string;
  readonly plan?: string;
  readonly yes: boolean;
  readonly wait: boolean;
  readonly json: boolean;
  readonly rate?: number;
  readonly keep?: string;
  readonly weight?: Readonly<Record<string, number>>;
}

interface FailoverOptions {
  readonly to?: string;
  readonly mode: string;
  readonly reason: string;
  readonly wait: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

const pollMs = 250;
/** How long a server may be away while slots move: the move does not depend on it. */
const awayLimitMs = 120_000;

/** `holdfast redis …` */
export function addRedis(program: Command, api: () => Api): void {
  const redis = program.command("redis").description("Redis replica sets and clusters");
  redis
    .command("status [cluster]", { isDefault: true })
    .description("servers, slots, lag, what runs and what is promised")
    .option("--json", "print JSON", false)
    .action(async (cluster: string | undefined, { json }: { json: boolean }) => {
      const all =
        cluster === undefined ? await api().get<readonly RedisView[]>("redis") : [await readView(api(), cluster)];
      print(json, all, () => (all.length === 0 ? ["No Redis yet."] : all.flatMap(describeRedis)));
    });
  const move = (command: Command) =>
    command
      .requiredOption("--reason <text>", "why: it stands in the audit and on the timeline")
      .option("--rate <slots>", "at most so many slots a second, so that clients wait less", readRate)
      .option(
        "--keep <side>",
        "of a key on both sides where nobody can see the later copy: keep that of the giving or receiving master",
      )
      .option("--plan <hash>", "only under this plan, as it was shown before")
      .option("--no-wait", "come back once it has begun")
      .option("--yes", "don't ask", false)
      .option("--json", "print JSON", false);
  move(redis.command("rebalance <cluster>").description("move the fewest slots so that every master has its share"))
    .option("--weight <name=n>", "a master's weight; repeat it for others", readWeight, {})
    .action((cluster: string, options: MoveOptions) => runMove(api(), "rebalance", cluster, null, options));
  move(redis.command("drain <cluster> <server>").description("move every slot off one shard")).action(
    (cluster: string, server: string, options: MoveOptions) => runMove(api(), "drain", cluster, server, options),
  );
  move(redis.command("reverse <cluster>").description("move back what the last move brought over")).action(
    (cluster: string, options: MoveOptions) => runMove(api(), "reverse", cluster, null, options),
  );
  move(
    redis
      .command("close <cluster>")
      .description("bring slots that a move left open to where they were going, and move nothing else"),
  ).action((cluster: string, options: MoveOptions) => runMove(api(), "close", cluster, null, options));
  redis
    .command("automation <state> <cluster>")
    .description("let automatic failover of a replica set act (on), or hold it (hold)")
    .requiredOption("--reason <text>", "why")
    .option("--json", "print JSON", false)
    .action((state: string, cluster: string, options: { reason: string; json: boolean }) =>
      setAutomation(api(), `redis/${encodeURIComponent(cluster)}`, cluster, state, options),
    );
  redis
    .command("abort <cluster>")
    .description("end the running move after the slots in flight")
    .requiredOption("--reason <text>", "why")
    .option("--json", "print JSON", false)
    .action(async (cluster: string, { reason, json }: { reason: string; json: boolean }) => {
      const done = await api().send("POST", `${pathOf(cluster)}/migrations/stop`, { reason });
      print(json, done, () => ["It ends after the slots in flight."]);
    });
  redis
    .command("failover <cluster>")
    .description("make a replica the master")
    .option("--to <server>", "this one (needed in a Redis Cluster)")
    .option("--mode <mode>", "Redis Cluster: graceful, force or takeover", "graceful")
    .requiredOption("--reason <text>", "why: it stands in the audit and on the timeline")
    .option("--no-wait", "come back once it has begun")
    .option("--yes", "don't ask", false)
    .option("--json", "print JSON", false)
    .action((cluster: string, options: FailoverOptions) => runFailover(api(), cluster, options));
}

/** Shows every check, asks, begins, and follows the steps to their end. */
async function runFailover(api: Api, cluster: string, options: FailoverOptions): Promise<void> {
  const wish = { target: options.to ?? null, mode: options.mode };
  const plan = await api.send<RedisFailoverPlanView>("POST", `${pathOf(cluster)}/failover/plan`, wish);
  if (!options.json) {
    console.log(
      `Plan ${plan.planHash}: ${plan.target ?? "the replica with most data"} takes over from ${plan.from ?? "?"}`,
    );
    for (const line of describeChecks(plan.checks)) console.log(line);
  }
  if (!plan.runnable) throw new CommandError(exitCodes.refused, blockedBy(plan));
  if (!options.yes) await confirm(cluster, "failover");
  const body = { ...wish, planHash: plan.planHash, reason: options.reason, confirm: cluster };
  const begun = await api.send<{ action: string }>("POST", `${pathOf(cluster)}/failover`, body);
  if (!options.wait) return print(options.json, begun, () => [`${begun.action} has begun.`]);
  const ended = await followAction(api, begun.action, options.json);
  print(options.json, ended, () =>
    [`${ended.id}: ${ended.phase}; ${ended.target ?? "?"} is the master.`].slice(ended.phase === "done" ? 0 : 1),
  );
  if (ended.phase !== "done") {
    const why = ended.failure === null ? ended.phase : formatCode(ended.failure.code, ended.failure.data);
    throw new CommandError(exitCodes.actionFailed, `${ended.id} ended ${ended.phase}: ${why}.`);
  }
}

/** Prints each step when it has ended. */
async function followAction(api: Api, id: string, json: boolean): Promise<ActionView> {
  let told = 0;
  for (;;) {
    const action = await api.get<ActionView>(`actions/${encodeURIComponent(id)}`);
    const ended = action.steps.filter(({ status }) => status !== "running" && status !== "pending");
    if (!json)
      for (const { kind, node, status } of ended.slice(told))
        console.log(`  ${formatCode(kind)} ${node ?? ""}: ${status}`);
    told = ended.length;
    if (action.phase !== "running") return action;
    await sleep(pollMs);
  }
}

function pathOf(cluster: string): string {
  return `redis/${encodeURIComponent(cluster)}`;
}

function readView(api: Api, cluster: string): Promise<RedisView> {
  return api.get<RedisView>(pathOf(cluster));
}

function readWeight(text: string, before: Readonly<Record<string, number>>): Record<string, number> {
  const [name, value] = text.split("=", 2);
  const weight = Number(value);
  if (name === undefined || name === "" || value === undefined || !(weight >= 0))
    throw new InvalidArgumentError("Write it as name=2.");
  return { ...before, [name]: weight };
}

function readKeep(side: string | undefined): "source" | "target" | null {
  if (side === undefined) return null;
  if (side === "giving") return "source";
  if (side === "receiving") return "target";
  throw new CommandError(exitCodes.usage, "Write --keep giving or --keep receiving.");
}

function readRate(text: string): number {
  const rate = Number(text);
  if (!Number.isInteger(rate) || rate < 1 || rate > 16_384)
    throw new InvalidArgumentError("Write a whole number of slots a second, from 1 to 16384.");
  return rate;
}

/** Shows the plan with every check, asks, begins, and follows the move to its end. */
async function runMove(
  api: Api,
  migration: "rebalance" | "drain" | "reverse" | "close",
  cluster: string,
  shard: string | null,
  options: MoveOptions,
): Promise<void> {
  const wish = { migration, shard, weights: options.weight ?? {} };
  const keep = readKeep(options.keep);
  const plan = await api.send<RedisPlanView>("POST", `${pathOf(cluster)}/plan`, wish);
  if (!options.json) for (const line of describePlan(plan)) console.log(line);
  if (options.plan !== undefined && options.plan !== plan.planHash) {
    throw new CommandError(exitCodes.refused, `The state has changed since plan ${options.plan} was made. Look again.`);
  }
  if (!plan.runnable) throw new CommandError(exitCodes.refused, blockedBy(plan));
  if (!options.yes) await confirm(cluster, migration);
  const begun = await api.send<{ migration: string }>("POST", `${pathOf(cluster)}/migrations`, {
    ...wish,
    planHash: plan.planHash,
    maxSlotsPerSecond: options.rate ?? null,
    keep,
    reason: options.reason,
    confirm: cluster,
  });
  if (!options.wait) return print(options.json, begun, () => [`${begun.migration} has begun.`]);
  const ended = await follow(api, cluster, begun.migration, options.json);
  if (options.json) console.log(JSON.stringify(ended));
  else
    console.log(
      `${ended.id}: ${ended.phase}, ${ended.slotsMoved} of ${ended.slotsTotal} slots, ${ended.keysMoved} keys.`,
    );
  if (ended.phase !== "done") {
    const why = ended.failure === null ? ended.phase : `${ended.failure.code}: ${ended.failure.detail}`;
    throw new CommandError(exitCodes.actionFailed, `${ended.id} ended ${ended.phase}: ${why}.`);
  }
}

function blockedBy(plan: Pick<RedisPlanView, "checks">): string {
  const check = plan.checks.find((each) => each.status === "block");
  const what = check === undefined ? "A check" : `${formatCode(check.code)} (${check.value}, needs ${check.limit})`;
  return `${what} blocks it; nothing was done.`;
}

function describePlan(plan: RedisPlanView): string[] {
  const rows = plan.before.map((before) => {
    const after = plan.after.find((each) => each.shard === before.shard)?.slots ?? 0;
    return [before.shard, `${before.slots}`, `${after}`, `${after - before.slots}`];
  });
  return [
    `Plan ${plan.planHash}: ${plan.migration} of ${plan.cluster}, ${plan.slotsToMove} slots, about ${plan.keysToMove ?? "?"} keys`,
    ...formatTable(["master", "slots", "after", "change"], rows),
    ...describeChecks(plan.checks),
  ];
}

function describeChecks(checks: RedisPlanView["checks"]): string[] {
  return formatTable(
    ["check", "what", "value", "limit"],
    checks.map((check) => [check.status, formatCode(check.code), check.value, check.limit ?? ""]),
  );
}

async function confirm(cluster: string, what: string): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new CommandError(
      exitCodes.refused,
      "Nobody is here to confirm. Add --yes when a script is meant to do this.",
    );
  }
  const input = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await input.question(`Type the cluster's name to begin the ${what}: `);
  input.close();
  if (answer.trim() !== cluster) throw new CommandError(exitCodes.refused, "Not confirmed; nothing was begun.");
}

/** Prints progress. A server that is away for a moment is waited for: the move goes on from where the servers stand. */
async function follow(api: Api, cluster: string, id: string, json: boolean) {
  let told = "";
  let awaySinceMs: number | null = null;
  for (;;) {
    try {
      const view = await readView(api, cluster);
      awaySinceMs = null;
      if (view.lastMigration?.id === id) return view.lastMigration;
      const { migration } = view;
      if (!json && migration !== null) {
        const rate = migration.slotsPerSecond === null ? "" : `, ${migration.slotsPerSecond} slots/s`;
        const left = migration.leftMs === null ? "" : `, ${Math.ceil(migration.leftMs / 1_000)} s left`;
        const failed = migration.retryAt === null ? "" : ` (trying again: ${migration.lastFailure?.code ?? ""})`;
        const line = `  ${migration.slotsMoved} of ${migration.slotsTotal} slots${rate}${left}${failed}`;
        if (line !== told) console.log(line);
        told = line;
      }
    } catch (error) {
      if (!(error instanceof CommandError) || error.exitCode !== exitCodes.unreachable) throw error;
      awaySinceMs ??= performance.now();
      if (performance.now() - awaySinceMs > awayLimitMs) throw error;
    }
    await sleep(pollMs);
  }
}

function describeRedis(view: RedisView): string[] {
  const rows = view.members.map((member) => [
    member.id,
    member.state,
    member.role ?? "–",
    `${member.host}:${member.port}`,
    member.shard === null ? (member.link?.status ?? "–") : `${member.shard.slotCount} slots`,
    member.lagBytes === null ? "–" : formatBytes(member.lagBytes),
    member.keys === null ? "–" : `${member.keys}`,
    member.memoryBytes === null ? "–" : formatBytes(member.memoryBytes),
  ]);
  const head =
    view.mode === "cluster"
      ? `${view.id}: Redis Cluster, ${view.state}, ${view.slotsServed ?? 0} of 16384 slots served`
      : `${view.id}: replica set, ${view.state}, primary ${view.primary ?? "none"}, epoch ${view.epoch}, ${view.kInForce} of ${view.k} confirming`;
  const { migration } = view;
  return [
    head,
    ...view.reasons.map((reason) => `  ${formatCode(reason.code, reason.data)}`),
    ...formatTable(["server", "state", "role", "address", "link", "behind", "keys", "memory"], rows),
    ...(migration === null
      ? []
      : [`${migration.id} (${migration.migration}): ${migration.slotsMoved} of ${migration.slotsTotal} slots moved`]),
    ...view.open.map(
      ({ from, to, slots }) =>
        `open between ${from ?? "?"} and ${to ?? "nobody who is heard"}: slots ${slots.map(([a, b]) => (a === b ? a : `${a}-${b}`)).join(", ")}`,
    ),
    ...(view.open.length === 0 ? [] : [`  close them: holdfast redis close ${view.id} --reason …`]),
    "",
  ];
}
