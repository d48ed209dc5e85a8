import type { Protocol } from "../../core/transaction/index.ts";
import type { Violation } from "./checkers.ts";
import { type Rules, soundRules } from "./rules.ts";
import { runTransaction } from "./run.ts";

/** Rules broken on purpose, to show that the checkers bite. */
interface Mutant {
  readonly name: string;
  readonly protocol: Protocol;
  readonly caughtBy: readonly Violation["checker"][];
  readonly rules: Partial<Rules>;
}

const { advance, judgeMessage, answerInquiry, openTermination } = soundRules;

const mutants: readonly Mutant[] = [
  {
    name: "commit-without-all-votes",
    protocol: "2pc",
    caughtBy: ["atomic"],
    rules: {
      advance(transaction, input, nowMs) {
        const next = advance(transaction, input, nowMs);
        const { branches, phase } = next.transaction;
        if (phase !== "preparing" || !branches.some(({ state }) => state === "yes")) return next;
        const presumed = branches.map((branch) => ({ ...branch, state: "yes" as const }));
        return advance({ ...next.transaction, branches: presumed }, { kind: "gate-opened" }, nowMs);
      },
    },
  },
  {
    name: "send-before-record",
    protocol: "2pc",
    caughtBy: ["atomic", "decision-stable"],
    rules: { persistsFirst: false },
  },
  {
    name: "answer-before-record",
    protocol: "2pc",
    caughtBy: ["atomic", "ends"],
    rules: { participantPersistsFirst: false },
  },
  {
    name: "presume-commit",
    protocol: "2pc",
    caughtBy: ["atomic"],
    rules: { answerInquiry: (transaction) => (transaction === null ? "commit" : answerInquiry(transaction)) },
  },
  {
    name: "decide-anew-after-restart",
    protocol: "2pc",
    caughtBy: ["atomic", "decision-stable"],
    rules: {
      advance(transaction, input, nowMs) {
        if (input.kind !== "restarted" || transaction.decision !== "commit") return advance(transaction, input, nowMs);
        const branches = transaction.branches.map((branch) => ({ ...branch, endedAt: null, nextAt: nowMs }));
        return advance({ ...transaction, branches, decision: "abort", phase: "aborting" }, input, nowMs);
      },
    },
  },
  {
    name: "terminate-without-majority",
    protocol: "3pc",
    caughtBy: ["atomic", "decision-stable"],
    // A quorum of one: what a minority of a partition would do if it were let.
    rules: {
      openTermination: (options) => openTermination({ ...options, participants: options.participants.slice(0, 1) }),
    },
  },
  {
    name: "commit-at-timeout",
    protocol: "3pc",
    caughtBy: ["atomic", "decision-stable"],
    rules: {
      advance(transaction, input, nowMs) {
        if (transaction.phase !== "querying" || input.kind !== "answered") return advance(transaction, input, nowMs);
        const newest = input.answer.report.state === "pre-committed" ? "committed" : "aborted";
        const report = { ...input.answer.report, state: newest } as const;
        return advance(transaction, { ...input, answer: { ...input.answer, report } }, nowMs);
      },
    },
  },
  {
    name: "obey-lower-ballot",
    protocol: "3pc",
    caughtBy: ["atomic", "decision-stable"],
    rules: {
      judgeMessage: (record, message) => judgeMessage({ ...record, elected: 0 }, message),
    },
  },
  {
    name: "compensate-forwards",
    protocol: "saga",
    caughtBy: ["saga-complete"],
    rules: {
      advance(transaction, input, nowMs) {
        if (transaction.phase !== "compensating") return advance(transaction, input, nowMs);
        const reversed = { ...transaction, branches: transaction.branches.toReversed() };
        const next = advance(reversed, input, nowMs);
        return { ...next, transaction: { ...next.transaction, branches: next.transaction.branches.toReversed() } };
      },
    },
  },
  {
    name: "trust-a-silent-step",
    protocol: "saga",
    caughtBy: ["saga-complete"],
    rules: {
      advance(transaction, input, nowMs) {
        const next = advance(transaction, input, nowMs);
        if (transaction.phase !== "running" || next.transaction.phase !== "compensating") return next;
        const branches = next.transaction.branches.map((branch) =>
          branch.votedAt === null ? { ...branch, attempts: 0, nextAt: null } : branch,
        );
        return {
          messages: next.messages.filter(({ to }) =>
            branches.some((branch) => branch.id === to && branch.attempts > 0),
          ),
          transaction: { ...next.transaction, branches },
        };
      },
    },
  },
  {
    name: "undo-without-a-mark",
    protocol: "saga",
    caughtBy: ["saga-complete"],
    rules: {
      judgeMessage(record, message) {
        const verdict = judgeMessage(record, message);
        return record.state === "none" && message.kind === "undo" ? { ...verdict, record } : verdict;
      },
    },
  },
  {
    name: "reservations-never-expire",
    protocol: "tcc",
    caughtBy: ["no-reservation-leaked", "ends"],
    rules: { isExpired: () => false, answerInquiry: () => "undecided" },
  },
  {
    name: "confirm-what-has-expired",
    protocol: "tcc",
    caughtBy: ["atomic"],
    rules: {
      judgeMessage(record, message) {
        const verdict = judgeMessage(record, message);
        if (verdict.work !== "try-and-confirm") return verdict;
        return { ...verdict, work: null };
      },
    },
  },
];

export interface MutantOutcome {
  readonly mutant: string;
  readonly caughtBy: string | null;
  readonly seed: number | null;
}

/** Runs each until one of its checkers speaks up. */
export function catchMutants(maxSeeds: number): MutantOutcome[] {
  return mutants.map(({ name, protocol, caughtBy, rules }) => {
    for (let seed = 1; seed <= maxSeeds; seed++) {
      const { violations } = runTransaction({ seed, protocol, rules: { ...soundRules, ...rules } });
      const found = violations.find(({ checker }) => caughtBy.includes(checker));
      if (found !== undefined) return { mutant: name, caughtBy: found.checker, seed };
    }
    return { mutant: name, caughtBy: null, seed: null };
  });
}
