import { judgeAtomic, nextAtomicMessage } from "./atomic.ts";
import { ask, isEnded } from "./branches.ts";
import { judgeSaga, nextSagaMessage } from "./saga.ts";
import { judgeTcc, nextTccMessage } from "./tcc.ts";
import type { Branch, Input, Message, MessageKind, Transaction } from "./types.ts";

export interface Advance {
  /** To be made durable before `messages` leave; the same object when nothing changed. */
  readonly transaction: Transaction;
  readonly messages: readonly Message[];
}

/** One step of the coordinator: what this input leads to, and who is told once that is durable. */
export function advance(transaction: Transaction, input: Input, nowMs: number): Advance {
  if (isEnded(transaction)) return { transaction, messages: [] };
  const judged = judge(transaction, input, nowMs);
  return ask(judged, nowMs, (branch) => nextMessage(judged, branch));
}

function judge(transaction: Transaction, input: Input, nowMs: number): Transaction {
  switch (transaction.protocol) {
    case "2pc":
    case "3pc":
      return judgeAtomic(transaction, input, nowMs);
    case "saga":
      return judgeSaga(transaction, input, nowMs);
    case "tcc":
      return judgeTcc(transaction, input, nowMs);
    default:
      return transaction.protocol satisfies never;
  }
}

/** What a branch needs now; null: nothing. */
export function nextMessage(transaction: Transaction, branch: Branch): MessageKind | null {
  switch (transaction.protocol) {
    case "2pc":
    case "3pc":
      return nextAtomicMessage(transaction, branch);
    case "saga":
      return nextSagaMessage(transaction, branch);
    case "tcc":
      return nextTccMessage(transaction, branch);
    default:
      return transaction.protocol satisfies never;
  }
}

/** Presumed abort: a coordinator that knows nothing of a transaction, or has decided nothing yet and never will, answers abort. */
export function answerInquiry(transaction: Transaction | null): "commit" | "abort" | "undecided" {
  if (transaction === null) return "abort";
  return transaction.decision ?? "undecided";
}
