import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { ActionView, PlanView } from "../server/protocol/index.ts";
import type { Api } from "./api.ts";
import { CommandError, exitCodes } from "./exit-codes.ts";
import { formatCode, formatTable } from "./print.ts";

export interface ActionOptions {
  readonly to?: string;
  readonly plan?: string;
  readonly reason: string;
  /** The old primary's name: whoever gives it says that it is down. */
  readonly confirmDown?: string;
  readonly yes: boolean;
  readonly json: boolean;
}

const pollMs = 200;
/** How long a server may be away while its action goes on (it may be the very thing that fails over). */
const awayLimitMs = 60_000;

/** Shows the plan with every check, asks, begins, and follows the steps to their end. */
export async function runAction(
  api: Api,
  kind: "failover" | "switchover" | "rejoin",
  cluster: string,
  options: ActionOptions,
): Promise<void> {
  const id = encodeURIComponent(cluster);
  const plan = await api.send<PlanView>("POST", `clusters/${id}/plan`, { kind, target: options.to ?? null });
  if (!options.json) for (const line of describePlan(plan)) console.log(line);
  if (options.plan !== undefined && options.plan !== plan.planHash) {
    throw new CommandError(
      exitCodes.refused,
      `The state has changed since plan ${options.plan} was made. Look at the checks above and confirm again.`,
    );
  }
  if (!plan.runnable) throw new CommandError(exitCodes.refused, "A check blocks it. Clear it and try again.");
  const confirmDown = options.confirmDown ?? (await askWhetherDown(plan, options.yes));
  if (!options.yes) await confirm(cluster, kind);
  const begun = await api.send<{ action: string }>("POST", `clusters/${id}/actions`, {
    kind,
    target: options.to ?? plan.target,
    planHash: plan.planHash,
    reason: options.reason,
    confirm: cluster,
    ...(kind === "failover" && plan.fencing !== null ? { acceptLossBytes: plan.possibleLossBytes } : {}),
    ...(confirmDown === undefined ? {} : { confirmDown }),
  });
  const action = await follow(api, begun.action, options.json);
  if (options.json) console.log(JSON.stringify(action));
  if (action.phase !== "done") {
    const why = action.failure === null ? action.phase : formatCode(action.failure.code, action.failure.data);
    throw new CommandError(exitCodes.actionFailed, `${action.id} ended ${action.phase}: ${why}.`);
  }
}

/** Where nothing can tell that an asynchronous primary is down, a person has to say so by its name. @throws CommandError */
async function askWhetherDown(plan: PlanView, yes: boolean): Promise<string | undefined> {
  const node = plan.before.primary;
  if (plan.fencing !== "operator" || node === null) return undefined;
  const why = `${node} does not answer, and nothing here can cut it off. If it still takes writes, they are lost, and two servers write at once.`;
  if (yes)
    throw new CommandError(exitCodes.refused, `${why} When you are sure that it is down, add --confirm-down ${node}.`);
  console.log(why);
  await confirmTyped(node, `When you are sure that it is down and stays down, type its name (${node}): `);
  return node;
}

function describePlan(plan: PlanView): string[] {
  const checks = plan.checks.map((check) => [check.status, formatCode(check.code), check.value, check.limit ?? ""]);
  const candidates = plan.candidates.map((each) => [
    each.node,
    each.chosen ? "chosen" : each.eligible ? "eligible" : "no",
    formatCode(each.reason.code, each.reason.data),
  ]);
  const { before, after } = plan;
  const lost = plan.possibleLossBytes === null ? "an unknown number of" : `up to ${plan.possibleLossBytes}`;
  const unavailable = plan.expectedUnavailableMs === null ? "unknown" : `about ${plan.expectedUnavailableMs} ms`;
  return [
    `Plan ${plan.planHash}: ${plan.kind} of ${plan.cluster}`,
    `  primary  ${before.primary ?? "none"} (epoch ${before.epoch}) → ${after?.primary ?? "nobody"} (epoch ${after?.epoch ?? "–"})`,
    `  sync     ${before.sync.join(", ") || "none"} → ${after?.sync.join(", ") || "none"}`,
    `  writes unavailable ${unavailable}; ${plan.sessions ?? "?"} sessions reconnect; ${lost} bytes may be lost`,
    `  ${formatCode(plan.wayBack.code, plan.wayBack.data)}`,
    "",
    ...formatTable(["check", "what", "value", "limit"], checks),
    "",
    ...(candidates.length === 0 ? [] : [...formatTable(["member", "verdict", "why"], candidates), ""]),
  ];
}

function confirm(cluster: string, kind: string): Promise<void> {
  return confirmTyped(cluster, `Type the cluster's name to begin the ${kind}: `);
}

/** Asks for a name to be typed. @throws CommandError when it was not, or nobody is there */
export async function confirmTyped(name: string, question = `Type ${name} to confirm: `): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new CommandError(
      exitCodes.refused,
      "Nobody is here to confirm. Add --yes when a script is meant to do this.",
    );
  }
  const input = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await input.question(question);
  input.close();
  if (answer.trim() !== name) throw new CommandError(exitCodes.refused, "Not confirmed; nothing was begun.");
}

/** Prints each change of a step. A server that is away for a moment is waited for: the action doesn't depend on us. */
async function follow(api: Api, id: string, json: boolean): Promise<ActionView> {
  const told = new Map<string, string>();
  let awaySinceMs: number | null = null;
  for (;;) {
    try {
      const action = await api.get<ActionView>(`actions/${encodeURIComponent(id)}`);
      awaySinceMs = null;
      if (!json) tellSteps(action, told);
      if (action.phase !== "running") {
        if (!json) for (const line of describeEnd(action)) console.log(line);
        return action;
      }
      const asked = findQuestion(action);
      if (asked !== undefined) throw new CommandError(exitCodes.refused, describeQuestion(action, asked));
    } catch (error) {
      if (!(error instanceof CommandError) || error.exitCode !== exitCodes.unreachable) throw error;
      awaySinceMs ??= performance.now();
      if (performance.now() - awaySinceMs > awayLimitMs) throw error;
    }
    await sleep(pollMs);
  }
}

/** What the action asks a person and nobody has answered yet: who joins an open one may have brought the answer along. */
export function findQuestion({
  steps,
  acceptedLossBytes,
}: Pick<ActionView, "steps" | "acceptedLossBytes">): ActionView["steps"][number] | undefined {
  const isDown = steps.some(({ kind }) => kind === "confirmed-down");
  const covers = (bytes: unknown) =>
    acceptedLossBytes === null || (typeof bytes === "number" && bytes <= (acceptedLossBytes ?? -1));
  return steps.find(
    ({ kind, data }) => (kind === "ask-operator" && !isDown) || (kind === "loss-refused" && !covers(data.bytes)),
  );
}

/** An asynchronous failover that only a person can bring on. It stays open: whoever answers begins it again with the answer. */
function describeQuestion(action: ActionView, { kind, node, data }: ActionView["steps"][number]): string {
  const again = `The action stays open: run \`holdfast failover ${action.cluster}\` again`;
  if (kind === "ask-operator")
    return `${action.id} waits: nothing can tell that ${node} is down. ${again} with --confirm-down ${node} when you are sure of it.`;
  const bytes = typeof data.bytes === "number" ? `up to ${data.bytes} bytes` : "an unknown number of bytes";
  return `${action.id} waits: ${bytes} of acknowledged writes may be lost, more than was accepted. ${again} to see the figure of now and accept it, or bring ${node} back.`;
}

function tellSteps(action: ActionView, told: Map<string, string>): void {
  action.steps.forEach((step, index) => {
    const key = `${index}`;
    const ms = step.startedAt !== null && step.endedAt !== null ? ` in ${step.endedAt - step.startedAt} ms` : "";
    const state = `${step.status}${step.progress === null ? "" : ` ${Math.floor(step.progress * 10) * 10} %`}`;
    if (step.status === "pending" || told.get(key) === state) return;
    told.set(key, state);
    console.log(`  ${formatCode(step.kind)}${step.node === null ? "" : ` ${step.node}`}: ${state}${ms}`);
  });
}

function describeEnd(action: ActionView): string[] {
  const took = action.endedAt === null ? "" : ` after ${action.endedAt - action.startedAt} ms`;
  const bars = (action.waterfall ?? []).map((bar) => [bar.stage, `${bar.fromMs} ms`, `${bar.toMs - bar.fromMs} ms`]);
  return [
    `${action.id}: ${action.phase}${took}${action.target === null ? "" : `, ${action.target}`}`,
    ...(bars.length === 0 ? [] : formatTable(["stage", "from", "took"], bars)),
  ];
}
