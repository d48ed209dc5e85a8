import { getDocument, listDocuments } from "../documents.ts";
import { type Draft, finishCommand, getCommand, listIncidents, wakeAt } from "../draft.ts";
import type { CommandOutcome, CommandRecord } from "../recovery/command.ts";
import {
  type Answer,
  type AnswerKind,
  advance,
  type Input,
  isEnded,
  pauseMs,
  type Report,
} from "../transaction/index.ts";
import { type Change, followPrimary, patchTarget, save, sendStep, targetOf, tell } from "./commands.ts";
import { finishChange, rollBackAfter, stopFor } from "./endings.ts";
import { catchUp } from "./left-behind.ts";
import { judgeWatch } from "./watch.ts";

/** How often an open change is looked at; also after every answer. */
const lookEveryMs = 250;

const trialPauseMs = 500;
/** With pauses of up to eight seconds: about a minute. */
const mostTrials = 10;

/** Drives every open change on. Called by the tick. */
export function evaluateChanges(draft: Draft): void {
  for (const { id } of listDocuments(draft, "program")) catchUp(draft, id);
  for (const change of listDocuments(draft, "change")) driveOn(draft, change, []);
}

/** An answer to a step of a change. False: the command belongs to no change. */
export function recordChangeOutcome(draft: Draft, node: string, commandId: string, outcome: CommandOutcome): boolean {
  const command = getCommand(draft, commandId);
  if (command === null || !command.verb.verb.startsWith("change.")) return false;
  if (command.node !== node) return true;
  finishCommand(draft, commandId, outcome);
  const change = getDocument(draft, "change", command.actionId);
  if (change === null) return true;
  takeOutcome(draft, change, command, outcome);
  return true;
}

function takeOutcome(draft: Draft, change: Change, command: CommandRecord, outcome: CommandOutcome): void {
  if (command.verb.verb !== "change.step" && command.verb.verb !== "change.sql") return;
  const { message } = command.verb.args;
  const id = targetOf(command);
  const answer = readAnswer(outcome, message === "prepare" || message === "do");
  const noted = tell(draft, patchTarget(change, id, { detail: answer.detail }), `${message}-${answer.kind}`, {
    target: id,
    detail: answer.detail,
  });
  if (change.dryRun === true && message === "prepare" && answer.kind === "no") {
    const refused = patchTarget(noted, id, { refused: true });
    save(draft, refused);
    return driveOn(draft, refused, []);
  }
  if (message !== "trial") return driveOn(draft, noted, [{ kind: "answered", from: id, to: message, answer }]);
  const tried = noteTrial(draft, noted, id, answer.kind);
  // A pause leaves nothing to do now; what was heard is kept all the same.
  save(draft, tried);
  driveOn(draft, tried, []);
}

/** One that did not work is made again, after a pause that grows; in the end the wave counts it as one that did badly. */
function noteTrial(draft: Draft, change: Change, id: string, answer: AnswerKind): Change {
  if (answer === "done") return patchTarget(change, id, { trial: "done" });
  const tries = (change.targets.find((target) => target.id === id)?.trialTries ?? 0) + 1;
  if (answer !== "failed" || tries >= mostTrials)
    return patchTarget(change, id, { trial: "failed", trialTries: tries });
  const trialAt = draft.now.wallMs + pauseMs(trialPauseMs, tries - 1);
  return patchTarget(change, id, { trial: "none", trialTries: tries, trialAt });
}

/** What the agent answered, or what its silence or refusal means: a step that was not begun is a no, one of unknown end is asked again. */
function readAnswer(outcome: CommandOutcome, isVote: boolean): Answer {
  const none: Report = { state: "none", attempt: 0 };
  if (outcome.status === "done") {
    const { answer, detail, state, attempt, ballot } = outcome.data;
    return {
      kind: answer as AnswerKind,
      detail: typeof detail === "string" ? detail : null,
      report: { state: state as Report["state"], attempt: Number(attempt ?? 0) },
      ballot: Number(ballot ?? 0),
    };
  }
  const again = outcome.code === "interrupted" || outcome.code === "expired" || outcome.code === "overtaken";
  const detail = `${outcome.code}: ${outcome.detail}`.slice(0, 300);
  return { kind: isVote && !again ? "no" : "failed", detail, report: none, ballot: 0 };
}

/** One step on: the coordinator, then the waves and their watch. */
export function driveOn(draft: Draft, start: Change, inputs: readonly Input[]): void {
  let change = [...inputs, { kind: "time" } as const].reduce((before, input) => feed(draft, before, input), start);
  change = endDryRun(draft, change);
  change = passOverSilent(draft, change);
  change = followPrimary(draft, change);
  change = driveWaves(draft, change);
  if (change !== start) save(draft, change);
  if (change.closedAt === null) wakeAt(draft, draft.now.monoMs + lookEveryMs);
}

/** Everybody was heard: it is discarded, and the first who said no (if anybody did) is the cause. */
function endDryRun(draft: Draft, change: Change): Change {
  const { phase, branches } = change.transaction;
  if (change.dryRun !== true || (phase !== "preparing" && phase !== "prepared")) return change;
  const refused = change.targets.filter((target) => target.refused === true).map(({ id }) => id);
  if (branches.some(({ id, votedAt }) => votedAt === null && !refused.includes(id))) return change;
  const [first] = refused;
  if (first === undefined)
    return feed(draft, change, { kind: "abort-requested", code: "dry-run-passed", branch: null });
  return feed(draft, change, { kind: "abort-requested", code: "voted-no", branch: first });
}

/** A rollback (or a dry run) that failed for somebody's silence is not kept waiting by it: that it is aborted stays its due, and the others begin anew. */
function passOverSilent(draft: Draft, change: Change): Change {
  const { decision, cause, branches } = change.transaction;
  if (change.rollbackOf === null && change.dryRun !== true) return change;
  if (decision !== "abort" || cause?.code !== "no-vote-in-time") return change;
  const silent = branches.filter(({ votedAt, endedAt }) => votedAt === null && endedAt === null);
  return silent.reduce((next, { id }) => feed(draft, next, { kind: "set-aside", branch: id }), change);
}

/** Feeds the coordinator; its messages become commands in the same commit as its new state. */
function feed(draft: Draft, change: Change, input: Input): Change {
  const { transaction, messages } = advance(change.transaction, input, draft.now.wallMs);
  if (transaction === change.transaction) return change;
  const decided = transaction.decision !== change.transaction.decision;
  let next: Change = { ...change, transaction };
  if (decided) {
    next = tell(draft, next, `decided-${transaction.decision}`, {
      code: transaction.cause?.code ?? null,
      target: transaction.cause?.branch ?? null,
    });
    if (transaction.decision === "abort") next = { ...next, phase: "aborting", watch: null };
  }
  for (const message of messages) {
    const target = next.targets.find(({ id }) => id === message.to);
    if (target !== undefined) next = sendStep(draft, next, target, message.kind);
  }
  return next;
}

function driveWaves(draft: Draft, change: Change): Change {
  const { transaction } = change;
  if (isEnded(transaction)) return afterEnd(draft, change);
  if (transaction.protocol === "saga") return driveSaga(draft, change);
  if (transaction.phase !== "prepared") return change;
  if (change.wave >= change.waves - 1) return feed(draft, change, { kind: "gate-opened" });
  return tryWave(draft, change);
}

/** Canaries switch before the decision and can still go back: their health is part of the vote. */
function tryWave(draft: Draft, change: Change): Change {
  const targets = change.targets.filter(({ wave, kind }) => wave === change.wave && kind === "program");
  const failed = targets.find(({ trial }) => trial === "failed");
  if (failed !== undefined) {
    return stopFor(draft, change, { code: "trial-failed", node: failed.node, data: { detail: failed.detail } }, feed);
  }
  const waiting = targets.filter(({ trial, trialAt }) => trial === "none" && (trialAt ?? 0) <= draft.now.wallMs);
  const asked = waiting.reduce((next, target) => sendStep(draft, next, target, "trial"), change);
  if (targets.some(({ trial }) => trial !== "done")) return asked;
  return watchWave(draft, asked, (next) => ({ ...next, wave: next.wave + 1, watch: null }));
}

/** A saga waits after each wave at its gate. */
function driveSaga(draft: Draft, change: Change): Change {
  if (change.transaction.phase !== "running") return change;
  const inWave = change.targets.filter(({ wave }) => wave <= change.wave).map(({ id }) => id);
  const through = change.transaction.branches.every(({ id, state }) => !inWave.includes(id) || state === "yes");
  if (!through) return change;
  return watchWave(draft, change, (next) => {
    const opened = feed(draft, { ...next, watch: null }, { kind: "gate-opened" });
    return isEnded(opened.transaction) ? finishChange(draft, opened) : { ...opened, wave: opened.wave + 1 };
  });
}

function watchWave(draft: Draft, change: Change, whenGood: (change: Change) => Change): Change {
  const { watch } = change;
  if (watch === null) {
    const from = draft.now.wallMs;
    const begun = { wave: change.wave, from, until: from + change.watchMs };
    return tell(draft, { ...change, watch: begun }, "watching", { wave: change.wave + 1, watchMs: change.watchMs });
  }
  const verdict = judgeWatch(draft.state, change, watch, listIncidents(draft), draft.now);
  if (verdict.kind === "wait") return change;
  if (verdict.kind === "good") return whenGood(tell(draft, change, "wave-good", { wave: change.wave + 1 }));
  return stopFor(draft, change, verdict, feed);
}

/** After the decision was carried out everywhere: the last wave is watched, too, and undone by a change of its own. */
function afterEnd(draft: Draft, change: Change): Change {
  if (change.transaction.phase !== "committed") return finishChange(draft, change);
  if (change.transaction.protocol === "saga") return finishChange(draft, change);
  const { watch } = change;
  if (watch === null) {
    const from = draft.now.wallMs;
    const last: Change = {
      ...change,
      phase: "watching",
      watch: { wave: change.waves - 1, from, until: from + change.watchMs },
    };
    return tell(draft, last, "watching", { wave: change.waves, watchMs: change.watchMs });
  }
  const verdict = judgeWatch(draft.state, change, watch, listIncidents(draft), draft.now);
  if (verdict.kind === "wait") return change;
  if (verdict.kind === "good") return finishChange(draft, change);
  return rollBackAfter(draft, change, verdict);
}
