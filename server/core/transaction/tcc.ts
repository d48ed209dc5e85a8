import { allIn, findBranch, patchBranch, retryLater, setAside, wakeAll } from "./branches.ts";
import type { Branch, Input, MessageKind, Transaction } from "./types.ts";

/**
 * TCC: try reserves until a time, confirm uses, cancel gives back. The decision to confirm is taken only while enough of the time is left; a
 * participant whose reservation ran out all the same tries to reserve again, and when the resource has gone the end is `mixed` and says so.
 */

export function nextTccMessage(transaction: Transaction, branch: Branch): MessageKind | null {
  switch (transaction.phase) {
    case "preparing":
      return branch.state === "idle" || branch.state === "asked" ? "try" : null;
    case "committing":
      return branch.endedAt === null ? "confirm" : null;
    case "aborting":
      return branch.endedAt === null ? "cancel" : null;
    default:
      return null;
  }
}

export function judgeTcc(transaction: Transaction, input: Input, nowMs: number): Transaction {
  switch (input.kind) {
    case "time":
      if (transaction.phase === "preparing" && nowMs >= transaction.deadlineAt) {
        return decide(transaction, "abort", { code: "no-reservation-in-time", branch: null }, nowMs);
      }
      return afterTries(transaction, nowMs);
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
      if (transaction.decision !== null) return transaction;
      return decide(transaction, "abort", { code: input.code, branch: input.branch }, nowMs);
    case "gate-opened":
      return afterTries({ ...transaction, gated: false }, nowMs);
    case "restarted":
      return wakeAll(transaction, nowMs);
    default:
      return input satisfies never;
  }
}

function takeAnswer(
  transaction: Transaction,
  { from, to, answer }: Extract<Input, { kind: "answered" }>,
  nowMs: number,
): Transaction {
  const branch = findBranch(transaction, from);
  if (branch === null || nextTccMessage(transaction, branch) !== to) return transaction;
  if (answer.kind === "failed") return retryLater(transaction, from, answer.detail, nowMs);
  if (to === "try") {
    const yes = answer.kind === "yes";
    const state = yes ? "yes" : "no";
    const voted = patchBranch(transaction, from, { state, votedAt: nowMs, nextAt: null, lastError: answer.detail });
    return yes ? afterTries(voted, nowMs) : decide(voted, "abort", { code: "voted-no", branch: from }, nowMs);
  }
  const state = answer.kind === "refused" ? "refused" : to === "confirm" ? "committed" : "aborted";
  return settle(patchBranch(transaction, from, { state, endedAt: nowMs, nextAt: null, lastError: answer.detail }));
}

function afterTries(transaction: Transaction, nowMs: number): Transaction {
  if (transaction.phase !== "preparing" && transaction.phase !== "prepared") return transaction;
  if (!allIn(transaction, "yes")) return transaction;
  if (nowMs > (transaction.confirmBy ?? 0)) {
    return decide(transaction, "abort", { code: "reservation-about-to-expire", branch: null }, nowMs);
  }
  if (transaction.gated) return { ...transaction, phase: "prepared" };
  return decide(transaction, "commit", null, nowMs);
}

function decide(
  transaction: Transaction,
  decision: "commit" | "abort",
  cause: Transaction["cause"],
  nowMs: number,
): Transaction {
  const phase = decision === "commit" ? "committing" : "aborting";
  return settle(wakeAll({ ...transaction, phase, decision, decidedAt: nowMs, cause }, nowMs));
}

function settle(transaction: Transaction): Transaction {
  if (transaction.branches.some((branch) => branch.endedAt === null)) return transaction;
  if (transaction.decision === "abort") return { ...transaction, phase: "aborted" };
  return { ...transaction, phase: allIn(transaction, "committed", "set-aside") ? "committed" : "mixed" };
}
