import type { Answer, AnswerKind, MessageKind, ParticipantState } from "./types.ts";

/** What a participant must not forget: fsynced before it answers. The same code runs in the agent and in the simulator. */
export interface ParticipantRecord {
  readonly state: ParticipantState;
  /** 3PC: the highest ballot heard, and the one of the last attempt taken part in. */
  readonly elected: number;
  readonly attempt: number;
  readonly expiresAt: number | null;
}

export const freshParticipant: ParticipantRecord = { state: "none", elected: 0, attempt: 0, expiresAt: null };

/** What has to be done to the resource; each is safe to repeat after a crash. */
export type Work = "prepare" | "commit" | "abort" | "do" | "undo" | "try" | "confirm" | "cancel" | "try-and-confirm";

export interface Verdict {
  /** To be done first; null: nothing. */
  readonly work: Work | null;
  /** Durable before the answer, when the work succeeded. */
  readonly record: ParticipantRecord;
  readonly answer: AnswerKind;
  /** When the work fails: the record then, and the answer. */
  readonly failed: { readonly record: ParticipantRecord; readonly answer: AnswerKind } | null;
}

type Row = Partial<Record<ParticipantState, readonly [Work | null, ParticipantState, AnswerKind]>>;

/** By message and state: work, next state, answer. What is not here is refused and changes nothing. */
const table: Readonly<Record<Exclude<MessageKind, "query">, Row>> = {
  prepare: {
    none: ["prepare", "prepared", "yes"],
    prepared: [null, "prepared", "yes"],
    "pre-committed": [null, "pre-committed", "yes"],
    committed: [null, "committed", "yes"],
    aborted: [null, "aborted", "no"],
    "pre-aborted": [null, "pre-aborted", "no"],
  },
  "pre-commit": {
    prepared: [null, "pre-committed", "done"],
    "pre-committed": [null, "pre-committed", "done"],
    "pre-aborted": [null, "pre-committed", "done"],
    committed: [null, "committed", "done"],
  },
  "pre-abort": {
    prepared: [null, "pre-aborted", "done"],
    "pre-committed": [null, "pre-aborted", "done"],
    "pre-aborted": [null, "pre-aborted", "done"],
    aborted: [null, "aborted", "done"],
  },
  commit: {
    prepared: ["commit", "committed", "done"],
    "pre-committed": ["commit", "committed", "done"],
    "pre-aborted": ["commit", "committed", "done"],
    committed: [null, "committed", "done"],
  },
  abort: {
    // A mark for a prepare that comes late; and one that a crash cut short may have left something behind.
    none: ["abort", "aborted", "done"],
    prepared: ["abort", "aborted", "done"],
    "pre-committed": ["abort", "aborted", "done"],
    "pre-aborted": ["abort", "aborted", "done"],
    aborted: [null, "aborted", "done"],
  },
  do: {
    none: ["do", "done", "yes"],
    done: [null, "done", "yes"],
    undone: [null, "undone", "no"],
  },
  undo: {
    none: ["undo", "undone", "done"],
    done: ["undo", "undone", "done"],
    undone: [null, "undone", "done"],
  },
  try: {
    none: ["try", "tried", "yes"],
    tried: [null, "tried", "yes"],
    confirmed: [null, "confirmed", "yes"],
    cancelled: [null, "cancelled", "no"],
    expired: [null, "expired", "no"],
  },
  confirm: {
    tried: ["confirm", "confirmed", "done"],
    confirmed: [null, "confirmed", "done"],
    expired: ["try-and-confirm", "confirmed", "done"],
  },
  cancel: {
    none: ["cancel", "cancelled", "done"],
    tried: ["cancel", "cancelled", "done"],
    expired: [null, "cancelled", "done"],
    cancelled: [null, "cancelled", "done"],
  },
};

/** A vote that could not be made good is a no, and stays one. */
const afterFailure: Partial<Record<Work, readonly [ParticipantState, AnswerKind]>> = {
  prepare: ["aborted", "no"],
  do: ["undone", "no"],
  try: ["cancelled", "no"],
  "try-and-confirm": ["expired", "refused"],
};

export interface IncomingMessage {
  readonly kind: MessageKind;
  readonly ballot: number;
  readonly expiresAt: number | null;
}

/** Judges a message against the record, pure. */
export function judgeMessage(record: ParticipantRecord, message: IncomingMessage): Verdict {
  if (message.kind === "query") return judgeQuery(record, message.ballot);
  const isAttempt = message.kind === "pre-commit" || message.kind === "pre-abort";
  if ((isAttempt || message.kind === "prepare") && message.ballot < record.elected) return refuse(record);
  const row = table[message.kind][record.state];
  if (row === undefined) return refuse(record);
  const [work, state, answer] = row;
  const ballots = isAttempt ? { elected: message.ballot, attempt: message.ballot } : {};
  const expiresAt = message.kind === "try" ? message.expiresAt : record.expiresAt;
  const fallback = work === null ? undefined : afterFailure[work];
  return {
    work,
    record: { ...record, ...ballots, state, expiresAt },
    answer,
    failed:
      work === null
        ? null
        : fallback === undefined
          ? { record, answer: "failed" }
          : { record: { ...record, state: fallback[0] }, answer: fallback[1] },
  };
}

/** A new coordinator asks: from now on only it, or a later one, is obeyed. Who has not voted yet never will. */
function judgeQuery(record: ParticipantRecord, ballot: number): Verdict {
  if (ballot < record.elected) return refuse(record);
  if (record.state !== "none")
    return { work: null, record: { ...record, elected: ballot }, answer: "done", failed: null };
  const failed = { record, answer: "failed" } as const;
  return { work: "abort", record: { ...record, state: "aborted", elected: ballot }, answer: "done", failed };
}

function refuse(record: ParticipantRecord): Verdict {
  return { work: null, record, answer: "refused", failed: null };
}

/** A reservation whose time is over is given back without asking. */
export function isExpired(record: ParticipantRecord, nowMs: number): boolean {
  return record.state === "tried" && record.expiresAt !== null && nowMs >= record.expiresAt;
}

export function answerOf(record: ParticipantRecord, kind: AnswerKind, detail: string | null): Answer {
  return { kind, detail, report: { state: record.state, attempt: record.attempt }, ballot: record.elected };
}

/** Prepared and without a decision: in doubt. */
export function isInDoubt(state: ParticipantState): boolean {
  return state === "prepared" || state === "pre-committed" || state === "pre-aborted" || state === "tried";
}
