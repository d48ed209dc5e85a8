import { type DocumentOf, putDocument } from "../documents.ts";
import { type Draft, finishCommand, getCluster, patchCluster } from "../draft.ts";
import type { CommandRecord, Grant } from "../recovery/command.ts";
import type { Branch } from "../transaction/types.ts";
import type { ChangeTarget } from "./types.ts";
import { type ChangeVerb, gidOf, type StepKind, scopeOf } from "./verbs.ts";

export type Change = DocumentOf<"change">;

/** Sends one step to one participant: recorded first, sent after the commit. Answers with the change as it is then. */
export function sendStep(draft: Draft, change: Change, target: ChangeTarget, message: StepKind): Change {
  const to = target.kind === "sql" ? aimSql(draft, change, target) : aimProgram(change, target);
  // A database without a primary is asked when it has one again.
  if (to === null) return patchTarget(change, target.id, { detail: "no-primary" });
  dropSteps(draft, change.id, target.id);
  const command: CommandRecord = {
    id: `${draft.now.entropy}.${++draft.commandCount}`,
    node: to.node,
    cluster: to.scope,
    actionId: change.id,
    stepIndex: change.step,
    grant: to.grant,
    verb: makeVerb(change, target, message),
    createdAt: draft.now.wallMs,
  };
  draft.commands.set(command.id, command);
  draft.send.push(command);
  const patched = patchTarget(change, target.id, {
    node: to.node,
    step: message,
    stepAt: draft.now.wallMs,
    detail: null,
    ...(message === "trial" ? { trial: "asked" as const } : {}),
  });
  return { ...patched, step: change.step + 1 };
}

interface Aim {
  readonly node: string;
  readonly scope: string;
  readonly grant: Grant;
}

function aimProgram(change: Change, target: ChangeTarget): Aim {
  const grant = { epoch: change.serial, intentId: change.id, step: change.step, configVersion: 0 };
  return { node: target.node, scope: scopeOf(change.service), grant };
}

/** A database is asked where its primary is now, under the cluster's own grant: a deposed primary refuses it. */
function aimSql(draft: Draft, change: Change, target: ChangeTarget): Aim | null {
  const cluster = getCluster(draft, change.sql?.cluster ?? "");
  if (cluster === null || cluster.primary === null || cluster.grantId === null) return null;
  if (target.kind !== "sql") return null;
  const { epoch, grantId: intentId, configVersion, commandStep } = cluster;
  patchCluster(draft, cluster.id, { commandStep: commandStep + 1 });
  return { node: cluster.primary, scope: cluster.id, grant: { epoch, intentId, step: commandStep + 1, configVersion } };
}

/**
 * A database's step belongs to the primary of now. What was sent to one that is none any more, or could not be sent for want of one, goes again: what
 * was prepared is on the next primary, too, and a second commit finds what the first one did.
 */
export function followPrimary(draft: Draft, change: Change): Change {
  const target = change.targets.find(({ kind }) => kind === "sql");
  const cluster = getCluster(draft, change.sql?.cluster ?? "");
  if (target === undefined || cluster === null || cluster.primary === null || cluster.openActionId !== null)
    return change;
  const branch = change.transaction.branches.find(({ id }) => id === target.id);
  if (branch === undefined || branch.asked === null || !isAwaited(branch)) return change;
  const under = listSteps(draft, change.id, target.id).at(-1);
  if (under?.node === cluster.primary && under.grant.epoch === cluster.epoch) return change;
  return sendStep(draft, change, target, branch.asked);
}

/** Something was asked and nothing was heard; what has failed is asked again by its coordinator, after a pause. */
function isAwaited({ asked, votedAt, endedAt, nextAt }: Branch): boolean {
  return endedAt === null && nextAt === null && (asked !== "prepare" || votedAt === null);
}

function makeVerb(change: Change, target: ChangeTarget, message: StepKind): ChangeVerb {
  const { ballot } = change.transaction;
  if (target.kind === "program" || change.sql === null) {
    const args = { change: change.id, program: change.service, message, ballot, item: change.item };
    return { verb: "change.step", args };
  }
  const { cluster, database, statements } = change.sql;
  const gid = gidOf(change.id, cluster);
  return { verb: "change.sql", args: { change: change.id, gid, message, ballot, database, statements } };
}

/** Which participant a command of a change is for. */
export function targetOf(command: CommandRecord): string {
  return command.verb.verb === "change.sql" ? `sql:${command.cluster}` : command.node;
}

/** What was asked of a participant before has lost its meaning. */
function dropSteps(draft: Draft, change: string, target: string): void {
  for (const { id } of listSteps(draft, change, target))
    finishCommand(draft, id, { status: "dropped", reason: "overtaken" });
}

/** Steps of a participant that nobody has answered yet. */
function listSteps(draft: Draft, change: string, target: string): CommandRecord[] {
  return [...draft.state.durable.commands.values(), ...draft.commands.values()].filter(
    (command) => command.actionId === change && targetOf(command) === target && !draft.finished.has(command.id),
  );
}

export function patchTarget(change: Change, id: string, patch: Partial<ChangeTarget>): Change {
  const targets = change.targets.map((target) => (target.id === id ? { ...target, ...patch } : target));
  return { ...change, targets };
}

const storyKept = 200;

/** Writes the change with what happened as its last line. */
export function tell(draft: Draft, change: Change, kind: string, data: Change["story"][number]["data"] = {}): Change {
  const story = [...change.story, { at: draft.now.wallMs, kind, data }].slice(-storyKept);
  return { ...change, story };
}

export function save(draft: Draft, change: Change): void {
  putDocument(draft, change);
}
