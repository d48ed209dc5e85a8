import { allIn, endedAs, findBranch, patchBranch, retryLater, setAside, wakeAll } from "./branches.ts";
import { chooseAttempt } from "./termination.ts";
import type { Branch, Input, MessageKind, Transaction } from "./types.ts";

/** Two-phase and three-phase commit: everybody votes, one decision, which is durable before anybody is told. */

type Answered = Extract<Input, { kind: "answered" }>;

/** The message that a branch needs in this phase; null: nothing. */
export function nextAtomicMessage(transaction: Transaction, branch: Branch): MessageKind | null {
  switch (transaction.phase) {
    case "preparing":
      return branch.state === "idle" || branch.state === "asked" ? "prepare" : null;
    case "querying":
      return branch.report === null ? "query" : null;
    case "pre-committing":
      return branch.state === "pre-committed" ? null : "pre-commit";
    case "pre-aborting":
      return branch.state === "pre-aborted" ? null : "pre-abort";
    case "committing":
      return branch.endedAt === null ? "commit" : null;
    case "aborting":
      return branch.endedAt === null ? "abort" : null;
    default:
      return null;
  }
}

export function judgeAtomic(transaction: Transaction, input: Input, nowMs: number): Transaction {
  switch (input.kind) {
    case "time":
      if (transaction.phase === "preparing" && nowMs >= transaction.deadlineAt) {
        const silent = transaction.branches.find((branch) => branch.votedAt === null);
        return decide(transaction, "abort", { code: "no-vote-in-time", branch: silent?.id ?? null }, nowMs);
      }
      return noteBlocked(transaction, nowMs);
    case "answered":
      return takeAnswer(transaction, input, nowMs);
    case "lost":
      if (transaction.phase === "preparing" && findBranch(transaction, input.branch)?.votedAt === null) {
        return decide(transaction, "abort", { code: "participant-lost", branch: input.branch }, nowMs);
      }
      return transaction;
    case "set-aside": {
      const without = setAside(transaction, input.branch, nowMs);
      return without === transaction ? transaction : settle(without);
    }
    case "abort-requested":
      // Before anybody was told to pre-commit the coordinator alone may say no.
      if (transaction.phase !== "preparing" && transaction.phase !== "prepared") return transaction;
      return decide(transaction, "abort", { code: input.code, branch: input.branch }, nowMs);
    case "gate-opened":
      return afterVotes({ ...transaction, gated: false }, nowMs);
    case "restarted":
      return wakeAll(transaction, nowMs);
    default:
      return input satisfies never;
  }
}

function takeAnswer(transaction: Transaction, { from, to, answer }: Answered, nowMs: number): Transaction {
  const branch = findBranch(transaction, from);
  if (branch === null || nextAtomicMessage(transaction, branch) !== to) return transaction;
  if (answer.ballot > transaction.ballot && to !== "commit" && to !== "abort") {
    return { ...transaction, phase: "superseded" };
  }
  if (answer.kind === "failed") return retryLater(transaction, from, answer.detail, nowMs);
  switch (to) {
    case "prepare":
      return takeVote(transaction, from, answer.kind === "yes", answer.detail, nowMs);
    case "query": {
      const known = patchBranch(transaction, from, { report: answer.report });
      return afterReports(known, nowMs);
    }
    case "pre-commit":
    case "pre-abort": {
      // It knows the outcome already: whoever decided it was entitled to.
      if (answer.report.state === "committed") return decide(transaction, "commit", null, nowMs);
      if (answer.report.state === "aborted") {
        return decide(transaction, "abort", { code: "aborted-elsewhere", branch: from }, nowMs);
      }
      // An answer to an older attempt says nothing about this one.
      if (answer.kind !== "done" || answer.report.attempt !== transaction.ballot) {
        return retryLater(transaction, from, answer.detail, nowMs);
      }
      const state = to === "pre-commit" ? "pre-committed" : "pre-aborted";
      const taken = patchBranch(transaction, from, { state, lastError: null });
      const { length } = taken.branches.filter((each) => each.state === state);
      if (length < majority(taken)) return taken;
      const cause = to === "pre-commit" ? null : { code: "terminated", branch: null };
      return decide(taken, to === "pre-commit" ? "commit" : "abort", cause, nowMs);
    }
    case "commit":
    case "abort": {
      const ended = { endedAt: nowMs, nextAt: null, lastError: answer.detail };
      if (answer.kind === "refused") return settle(patchBranch(transaction, from, { ...ended, state: "refused" }));
      return settle(patchBranch(transaction, from, { ...ended, state: to === "commit" ? "committed" : "aborted" }));
    }
    default:
      return transaction;
  }
}

function takeVote(
  transaction: Transaction,
  from: string,
  yes: boolean,
  detail: string | null,
  nowMs: number,
): Transaction {
  const state = yes ? "yes" : "no";
  const voted = patchBranch(transaction, from, { state, votedAt: nowMs, nextAt: null, lastError: detail });
  if (!yes) return decide(voted, "abort", { code: "voted-no", branch: from }, nowMs);
  return afterVotes(voted, nowMs);
}

function afterVotes(transaction: Transaction, nowMs: number): Transaction {
  if (transaction.phase !== "preparing" && transaction.phase !== "prepared") return transaction;
  if (!allIn(transaction, "yes")) return transaction;
  if (transaction.gated) return { ...transaction, phase: "prepared" };
  if (transaction.protocol === "2pc") return decide(transaction, "commit", null, nowMs);
  return wakeAll({ ...transaction, phase: "pre-committing" }, nowMs);
}

function afterReports(transaction: Transaction, nowMs: number): Transaction {
  const reports = transaction.branches.flatMap((branch) => (branch.report === null ? [] : [branch.report]));
  const attempt = chooseAttempt(reports, majority(transaction));
  switch (attempt) {
    case "wait":
      return transaction;
    case "commit":
      return decide(transaction, "commit", null, nowMs);
    case "abort":
      return decide(transaction, "abort", { code: "terminated", branch: null }, nowMs);
    case "pre-commit":
      return wakeAll({ ...transaction, phase: "pre-committing" }, nowMs);
    case "pre-abort":
      return wakeAll({ ...transaction, phase: "pre-aborting" }, nowMs);
    default:
      return attempt satisfies never;
  }
}

function decide(
  transaction: Transaction,
  decision: "commit" | "abort",
  cause: Transaction["cause"],
  nowMs: number,
): Transaction {
  if (transaction.decision !== null) return transaction;
  const phase = decision === "commit" ? "committing" : "aborting";
  const decided: Transaction = { ...transaction, phase, decision, decidedAt: nowMs, cause, blockedSince: null };
  return settle(wakeAll(decided, nowMs));
}

function settle(transaction: Transaction): Transaction {
  if (transaction.branches.some((branch) => branch.endedAt === null)) return transaction;
  return { ...transaction, phase: endedAs(transaction, transaction.decision === "commit" ? "committed" : "aborted") };
}

export function majority(transaction: Transaction): number {
  return Math.floor(transaction.branches.length / 2) + 1;
}

/** A quorum is missing: said, and waited for. Deciding without it could contradict the other side of a partition. */
function noteBlocked(transaction: Transaction, nowMs: number): Transaction {
  const waits = ["pre-committing", "pre-aborting", "querying"].includes(transaction.phase);
  if (!waits || transaction.blockedSince !== null || nowMs < transaction.deadlineAt) return transaction;
  return { ...transaction, blockedSince: nowMs };
}

/** Takes over a 3PC whose coordinator is gone, under a ballot of its own: asks first, decides with a majority only. */
export function openTermination(options: {
  readonly id: string;
  readonly participants: readonly Branch[];
  readonly ballot: number;
  readonly nowMs: number;
  readonly answerWithinMs: number;
  readonly retryMs: number;
}): Transaction {
  return {
    id: options.id,
    protocol: "3pc",
    phase: "querying",
    branches: options.participants,
    decision: null,
    decidedAt: null,
    deadlineAt: options.nowMs + options.answerWithinMs,
    retryMs: options.retryMs,
    ballot: options.ballot,
    gated: false,
    gates: [],
    expiresAt: null,
    confirmBy: null,
    cause: null,
    blockedSince: null,
  };
}
