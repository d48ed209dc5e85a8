import { endedAs, findBranch, patchBranch, retryLater, setAside, wakeAll } from "./branches.ts";
import type { Branch, Input, MessageKind, Transaction } from "./types.ts";

/**
 * Saga: one step after the other; when one fails, what was done (or may have been) is undone in reverse order, each once. An undo that overtakes its
 * step leaves a mark at the participant, so that the late step is refused.
 */

export function nextSagaMessage(transaction: Transaction, branch: Branch): MessageKind | null {
  if (transaction.phase === "running") {
    return currentStep(transaction)?.id === branch.id && !isHeld(transaction) ? "do" : null;
  }
  if (transaction.phase === "compensating") return currentUndo(transaction)?.id === branch.id ? "undo" : null;
  return null;
}

/** A gate behind which every step is done. */
function isHeld(transaction: Transaction): boolean {
  const { branches, gates } = transaction;
  return gates.some((id) => branches.some((branch) => branch.id === id && branch.state === "yes"));
}

function currentStep(transaction: Transaction): Branch | null {
  return transaction.branches.find((branch) => branch.state !== "yes") ?? null;
}

/** The last one that was ever asked and is not undone yet. */
function currentUndo(transaction: Transaction): Branch | null {
  return transaction.branches.findLast((branch) => branch.attempts > 0 && branch.endedAt === null) ?? null;
}

export function judgeSaga(transaction: Transaction, input: Input, nowMs: number): Transaction {
  switch (input.kind) {
    case "time":
      if (transaction.phase !== "running" || nowMs < transaction.deadlineAt) return transaction;
      return compensate(transaction, "step-timed-out", currentStep(transaction)?.id ?? null, nowMs);
    case "answered":
      return takeAnswer(transaction, input, nowMs);
    case "lost": {
      const waits = transaction.phase === "running" && currentStep(transaction)?.id === input.branch;
      return waits ? compensate(transaction, "participant-lost", input.branch, nowMs) : transaction;
    }
    case "set-aside": {
      // One after the other, in reverse: only the one whose turn it is can be passed over.
      if (transaction.phase !== "compensating" || currentUndo(transaction)?.id !== input.branch) return transaction;
      return settle(setAside(transaction, input.branch, nowMs));
    }
    case "abort-requested":
      return transaction.phase === "running" ? compensate(transaction, input.code, input.branch, nowMs) : transaction;
    case "gate-opened":
      return openGate(transaction, nowMs);
    case "restarted":
      return wake(transaction, nowMs);
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
  if (branch === null || nextSagaMessage(transaction, branch) !== to) return transaction;
  if (answer.kind === "failed") return retryLater(transaction, from, answer.detail, nowMs);
  if (to === "do") {
    const yes = answer.kind === "yes";
    const state = yes ? "yes" : "no";
    const done = patchBranch(transaction, from, { state, votedAt: nowMs, nextAt: null, lastError: answer.detail });
    return yes ? finish(done, nowMs) : compensate(done, "step-failed", from, nowMs);
  }
  const state = answer.kind === "refused" ? "refused" : "aborted";
  return settle(patchBranch(transaction, from, { state, endedAt: nowMs, nextAt: null, lastError: answer.detail }));
}

function openGate(transaction: Transaction, nowMs: number): Transaction {
  const { branches, gates } = transaction;
  const shut = gates.filter((id) => branches.some((branch) => branch.id === id && branch.state !== "yes"));
  return finish({ ...transaction, gates: shut }, nowMs);
}

/** Every step is done: that is the decision, unless something is still watched. */
function finish(transaction: Transaction, nowMs: number): Transaction {
  if (transaction.phase !== "running" || currentStep(transaction) !== null || isHeld(transaction)) return transaction;
  const branches = transaction.branches.map((branch) => ({ ...branch, state: "committed" as const, endedAt: nowMs }));
  return { ...transaction, branches, phase: "committed", decision: "commit", decidedAt: nowMs };
}

function compensate(transaction: Transaction, code: string, branch: string | null, nowMs: number): Transaction {
  const decided: Transaction = {
    ...transaction,
    phase: "compensating",
    decision: "abort",
    decidedAt: nowMs,
    cause: { code, branch },
  };
  return settle(wake(decided, nowMs));
}

/** As `wakeAll`, but keeps the count of attempts: it says which steps may have happened. */
function wake(transaction: Transaction, nowMs: number): Transaction {
  const counts = new Map(transaction.branches.map((branch) => [branch.id, branch.attempts]));
  const woken = wakeAll(transaction, nowMs);
  const branches = woken.branches.map((branch) => ({ ...branch, attempts: counts.get(branch.id) ?? 0 }));
  return { ...woken, branches };
}

function settle(transaction: Transaction): Transaction {
  return currentUndo(transaction) === null
    ? { ...transaction, phase: endedAs(transaction, "compensated") }
    : transaction;
}
