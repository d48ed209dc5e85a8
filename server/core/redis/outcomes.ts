import { getDocument } from "../documents.ts";
import { type Draft, demand, finishCommand, getAction, getCommand, patchAction } from "../draft.ts";
import { appendActionEntry } from "../incident/timeline.ts";
import type { CommandOutcome, CommandRecord } from "../recovery/command.ts";
import type { Step } from "../recovery/types.ts";
import { learnHistory, readHistory } from "./history.ts";
import { takeMoveOutcome } from "./migration.ts";
import { endRedisAction, patchRedis } from "./steps.ts";

const storeBehind: ReadonlySet<string> = new Set(["stale-epoch", "other-intent"]);

/** Takes the outcome of a command to a Redis server; false when it was for something else. */
export function takeRedisOutcome(draft: Draft, node: string, commandId: string, outcome: CommandOutcome): boolean {
  const command = getCommand(draft, commandId);
  if (command === null || command.node !== node || !command.verb.verb.startsWith("redis.")) return false;
  draft.acknowledge.push({ node, commandId });
  finishCommand(draft, commandId, outcome);
  draft.touched.add(`redis:${command.cluster}`);
  if (command.verb.verb === "redis.move-slots") {
    takeMoveOutcome(draft, command, outcome);
    return true;
  }
  const action = getAction(draft, command.actionId);
  if (action === null) return true;
  const data = readData(outcome);
  const status = outcome.status === "done" ? "done" : "failed";
  setStep(draft, command, { status, endedAt: draft.now.wallMs, data });
  const step = demand(action.steps[command.stepIndex], "step");
  appendActionEntry(draft, action.id, `step-${step.kind}-${status}`, {
    node,
    durationMs: draft.now.wallMs - (step.startedAt ?? draft.now.wallMs),
    ...data,
  });
  if (outcome.status === "done") takeReply(draft, command, outcome.data);
  else if (outcome.status === "refused" && storeBehind.has(outcome.code)) holdForPerson(draft, command, outcome.detail);
  return true;
}

export function takeRedisProgress(draft: Draft, node: string, commandId: string, data: Step["data"]): boolean {
  const command = getCommand(draft, commandId);
  if (command === null || command.node !== node || !command.verb.verb.startsWith("redis.")) return false;
  const { slots } = data;
  if (command.verb.verb === "redis.move-slots" && typeof slots === "number") {
    // Watched only: what counts is read from the servers.
    draft.state.live.redisMoves.set(commandId, { slots, keys: typeof data.keys === "number" ? data.keys : 0 });
    draft.touched.add(`redis:${command.cluster}`);
  }
  return true;
}

function takeReply(draft: Draft, command: CommandRecord, data: Readonly<Record<string, unknown>>): void {
  const action = demand(getAction(draft, command.actionId), command.actionId);
  const memberId = demand(action.steps[command.stepIndex], "step").node ?? command.node;
  if (command.verb.verb === "redis.seal") {
    // A server that writes a history of its own, or does not know its place in it, is not in the quorum: unknown is not zero.
    if (data.promoted === true || typeof data.offset !== "number") return;
    const history = readHistory(data);
    const seal = { node: memberId, timeline: 0, lsn: data.offset, configurations: [], history };
    patchAction(draft, action.id, { sealed: [...action.sealed, seal] });
  }
  if (command.verb.verb === "redis.promote" && isGranted(draft, command))
    learnHistory(draft, command.cluster, readHistory(data));
  if (command.verb.verb === "redis.follow") countGivenUp(draft, command.cluster, action.from, memberId, data);
}

/** A late answer to a promotion that another one has followed says nothing about the history of now. */
function isGranted(draft: Draft, { cluster, grant }: CommandRecord): boolean {
  return getDocument(draft, "redis", cluster)?.grantId === grant.intentId;
}

/** What the old master had written beyond the point where the new history begins: nobody has it any more. */
function countGivenUp(
  draft: Draft,
  cluster: string,
  from: string | null,
  member: string,
  data: Readonly<Record<string, unknown>>,
): void {
  const record = getDocument(draft, "redis", cluster);
  const epoch = record?.epochs.at(-1);
  const before = record?.epochs.at(-2);
  if (record === null || epoch === undefined || epoch.offset === null || epoch.givenUpBytes !== null) return;
  if (before?.primary !== member && from !== member) return;
  if (data.before !== "master" || typeof data.offset !== "number") return;
  const givenUpBytes = Math.max(0, data.offset - epoch.offset);
  patchRedis(draft, cluster, { epochs: [...record.epochs.slice(0, -1), { ...epoch, givenUpBytes }] });
}

/** This agent has promised more than this store knows: somebody else decided, or our store went back in time. */
function holdForPerson(draft: Draft, command: CommandRecord, detail: string): void {
  const record = getDocument(draft, "redis", command.cluster);
  const action = getAction(draft, command.actionId);
  if (record === null || action === null || action.phase !== "running" || command.grant.epoch < record.highestEpoch)
    return;
  patchRedis(draft, record.id, {
    automation: { state: "held", by: "holdfast", reason: "store-behind-agents", at: draft.now.wallMs },
  });
  endRedisAction(draft, action.id, "needs-operator", {
    code: "store-behind-agents",
    data: { node: command.node, detail },
  });
}

function setStep(draft: Draft, command: CommandRecord, patch: Partial<Step>): void {
  const action = demand(getAction(draft, command.actionId), command.actionId);
  const steps = action.steps.map((step, index) => (index === command.stepIndex ? { ...step, ...patch } : step));
  patchAction(draft, action.id, { steps });
}

function readData(outcome: CommandOutcome): Record<string, string | number | boolean | null> {
  if (outcome.status !== "done")
    return { code: outcome.code, detail: outcome.detail, refused: outcome.status === "refused" };
  const flat: Record<string, string | number | boolean | null> = {};
  for (const [key, value] of Object.entries(outcome.data)) {
    if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean")
      flat[key] = value;
  }
  return flat;
}
