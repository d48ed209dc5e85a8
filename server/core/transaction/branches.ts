import type { Branch, BranchState, Message, MessageKind, Phase, Protocol, Transaction } from "./types.ts";

export interface Opening {
  readonly id: string;
  readonly protocol: Protocol;
  readonly participants: readonly string[];
  readonly nowMs: number;
  readonly voteWithinMs: number;
  readonly retryMs: number | null;
  readonly gated?: boolean;
  readonly gates?: readonly string[];
  readonly reserveForMs?: number;
}

/** Confirming begins with at least this share of the reservation's time left. */
const confirmMarginShare = 0.25;

/** A transaction as it is stored before its first message. */
export function openTransaction(opening: Opening): Transaction {
  const reserveForMs = opening.protocol === "tcc" ? (opening.reserveForMs ?? opening.voteWithinMs) : null;
  return {
    id: opening.id,
    protocol: opening.protocol,
    phase: opening.protocol === "saga" ? "running" : "preparing",
    branches: opening.participants.map((id) => createBranch(id, opening.nowMs)),
    decision: null,
    decidedAt: null,
    deadlineAt: opening.nowMs + opening.voteWithinMs,
    retryMs: opening.retryMs,
    ballot: 1,
    gated: opening.gated ?? false,
    gates: opening.gates ?? [],
    expiresAt: reserveForMs === null ? null : opening.nowMs + reserveForMs,
    confirmBy: reserveForMs === null ? null : opening.nowMs + reserveForMs * (1 - confirmMarginShare),
    cause: null,
    blockedSince: null,
  };
}

function createBranch(id: string, nowMs: number): Branch {
  return {
    id,
    state: "idle",
    asked: null,
    votedAt: null,
    endedAt: null,
    attempts: 0,
    nextAt: nowMs,
    lastError: null,
    report: null,
  };
}

export function patchBranch(transaction: Transaction, id: string, patch: Partial<Branch>): Transaction {
  const branches = transaction.branches.map((branch) => (branch.id === id ? { ...branch, ...patch } : branch));
  return { ...transaction, branches };
}

/** Every branch that is not at an end may be asked at once. */
export function wakeAll(transaction: Transaction, nowMs: number): Transaction {
  const branches = transaction.branches.map((branch) =>
    branch.endedAt === null ? { ...branch, nextAt: nowMs, attempts: 0 } : branch,
  );
  return { ...transaction, branches };
}

export function findBranch(transaction: Transaction, id: string): Branch | null {
  return transaction.branches.find((branch) => branch.id === id) ?? null;
}

export function allIn(transaction: Transaction, ...states: readonly BranchState[]): boolean {
  return transaction.branches.every((branch) => states.includes(branch.state));
}

export function isEnded(transaction: Transaction): boolean {
  return ["committed", "aborted", "compensated", "mixed", "superseded"].includes(transaction.phase);
}

/** A participant that refused what was decided has contradicted the others, by somebody's hand or a lost memory: the end says so. */
export function endedAs(transaction: Transaction, phase: "committed" | "aborted" | "compensated"): Phase {
  return transaction.branches.some(({ state }) => state === "refused") ? "mixed" : phase;
}

const maxDoublings = 4;

/** Marks the branches as asked and makes their messages. */
export function ask(
  transaction: Transaction,
  nowMs: number,
  kindOf: (branch: Branch) => MessageKind | null,
): { readonly transaction: Transaction; readonly messages: readonly Message[] } {
  const messages: Message[] = [];
  const branches = transaction.branches.map((branch) => {
    const kind = branch.nextAt === null || branch.nextAt > nowMs ? null : kindOf(branch);
    if (kind === null) return branch;
    messages.push({ to: branch.id, kind, ballot: transaction.ballot, expiresAt: transaction.expiresAt });
    return {
      ...branch,
      asked: kind,
      state: branch.state === "idle" ? ("asked" as const) : branch.state,
      attempts: branch.attempts + 1,
      nextAt: transaction.retryMs === null ? null : nowMs + pauseMs(transaction.retryMs, branch.attempts),
    };
  });
  return messages.length === 0 ? { transaction, messages } : { transaction: { ...transaction, branches }, messages };
}

/** The branch's part is over for the coordinator, when something was decided that it has not carried out yet. */
export function setAside(transaction: Transaction, id: string, nowMs: number): Transaction {
  const waits = transaction.decision !== null && findBranch(transaction, id)?.endedAt === null;
  return waits ? patchBranch(transaction, id, { state: "set-aside", endedAt: nowMs, nextAt: null }) : transaction;
}

/** Distance to the next attempt after one that did not work. */
export function pauseMs(retryMs: number, attempts: number): number {
  return retryMs * 2 ** Math.min(attempts, maxDoublings);
}

/** An attempt did not work: the branch is asked again after a pause. */
export function retryLater(transaction: Transaction, id: string, detail: string | null, nowMs: number): Transaction {
  const branch = findBranch(transaction, id);
  if (branch === null) return transaction;
  const nextAt = nowMs + pauseMs(transaction.retryMs ?? 500, branch.attempts);
  return patchBranch(transaction, id, { nextAt, lastError: detail });
}
