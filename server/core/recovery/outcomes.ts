import { recordChangeOutcome } from "../changes/index.ts";
import { type Draft, demand, finishCommand, getAction, getCluster, getCommand, patchAction } from "../draft.ts";
import { recordResolution } from "../in-doubt/in-doubt.ts";
import { appendActionEntry } from "../incident/timeline.ts";
import type { SyncConfiguration } from "../replication/status.ts";
import { endAction } from "./actions.ts";
import type { CommandOutcome, CommandRecord } from "./command.ts";
import { holdAutomation } from "./regrant.ts";
import type { Step, StepStatus } from "./types.ts";

/** Refusals that mean: this agent has promised more than this store knows. Somebody else decided, or our store went back in time. */
const storeBehind: ReadonlySet<string> = new Set(["stale-epoch", "other-intent"]);

/** Takes the result of a command into its step. A result of an unknown or finished command is acknowledged and changes nothing. */
export function recordOutcome(draft: Draft, node: string, commandId: string, outcome: CommandOutcome): void {
  draft.acknowledge.push({ node, commandId });
  if (recordChangeOutcome(draft, node, commandId, outcome)) return;
  const command = getCommand(draft, commandId);
  if (command === null || command.node !== node) return;
  finishCommand(draft, commandId, outcome);
  recordResolution(draft, command, outcome);
  const action = getAction(draft, command.actionId);
  if (action === null) return;
  const status: StepStatus = outcome.status === "done" ? "done" : "failed";
  const data =
    outcome.status === "done"
      ? primitives(outcome.data)
      : { code: outcome.code, detail: outcome.detail, refused: outcome.status === "refused" };
  setStep(draft, command, { status, endedAt: draft.now.wallMs, data });
  const step = demand(action.steps[command.stepIndex], "step");
  appendActionEntry(draft, action.id, `step-${step.kind}-${status}`, {
    node,
    durationMs: draft.now.wallMs - (step.startedAt ?? draft.now.wallMs),
    ...data,
  });
  if (outcome.status === "done" && command.verb.verb === "postgres.seal") recordSeal(draft, command, outcome.data);
  if (outcome.status === "refused" && storeBehind.has(outcome.code) && isCurrent(draft, command)) {
    holdAutomation(draft, action.cluster, "store-behind-agents");
    endAction(draft, action.id, "needs-operator", {
      code: "store-behind-agents",
      data: { node, detail: outcome.detail },
    });
  }
}

/** An older command may rightly be refused after a newer epoch: only a refusal of the newest intent is an alarm. */
function isCurrent(draft: Draft, command: CommandRecord): boolean {
  const cluster = getCluster(draft, command.cluster);
  const action = getAction(draft, command.actionId);
  return (
    cluster !== null && action !== null && action.phase === "running" && command.grant.epoch >= cluster.highestEpoch
  );
}

export function recordProgress(
  draft: Draft,
  node: string,
  commandId: string,
  progress: number,
  data: Step["data"],
): void {
  const command = getCommand(draft, commandId);
  if (command === null || command.node !== node || getAction(draft, command.actionId) === null) return;
  setStep(draft, command, { progress: Math.min(1, Math.max(0, progress)), data });
}

function setStep(draft: Draft, command: CommandRecord, patch: Partial<Step>): void {
  const action = demand(getAction(draft, command.actionId), command.actionId);
  const steps = action.steps.map((step, index) => (index === command.stepIndex ? { ...step, ...patch } : step));
  patchAction(draft, action.id, { steps });
}

/**
 * A seal that names no position, or comes from a member that once issued a promote, is not in the quorum: unknown is not zero.
 */
function recordSeal(draft: Draft, command: CommandRecord, data: Readonly<Record<string, unknown>>): void {
  const { timeline, lsn, promoted } = data;
  if (promoted === true || typeof timeline !== "number" || typeof lsn !== "number") return;
  const action = demand(getAction(draft, command.actionId), command.actionId);
  const configurations = Array.isArray(data.configurations) ? (data.configurations as SyncConfiguration[]) : [];
  patchAction(draft, action.id, { sealed: [...action.sealed, { node: command.node, timeline, lsn, configurations }] });
}

function primitives(data: Readonly<Record<string, unknown>>): Record<string, string | number | boolean | null> {
  const flat: Record<string, string | number | boolean | null> = {};
  for (const [key, value] of Object.entries(data)) {
    if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean")
      flat[key] = value;
  }
  return flat;
}
