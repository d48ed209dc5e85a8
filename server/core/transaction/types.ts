/**
 * A change that spans several participants: two-phase commit (Gray 1978, with presumed abort after Mohan, Lindsay and Obermarck 1986), three-phase commit
 * with quorums (Skeen 1982; the ballots after Keidar and Dolev, "Increasing the Resilience of Distributed and Replicated Database Systems", 1995), saga
 * (Garcia-Molina and Salem 1987), and TCC: try, confirm, cancel.
 */
export type Protocol = "2pc" | "3pc" | "saga" | "tcc";

export type MessageKind =
  | "prepare"
  | "pre-commit"
  | "pre-abort"
  /** Which state are you in? Binds the participant to this ballot. */
  | "query"
  | "commit"
  | "abort"
  | "do"
  | "undo"
  | "try"
  | "confirm"
  | "cancel";

export interface Message {
  readonly to: string;
  readonly kind: MessageKind;
  /** 3PC: which coordinator speaks. A participant that has heard a higher one refuses. */
  readonly ballot: number;
  /** TCC: when the reservation ends by itself; null otherwise. */
  readonly expiresAt: number | null;
}

export type Phase =
  | "preparing"
  /** Everybody voted yes and the decision is still withheld (a gate: health of the first wave). */
  | "prepared"
  | "querying"
  | "pre-committing"
  | "pre-aborting"
  | "committing"
  | "aborting"
  /** Saga. */
  | "running"
  | "compensating"
  // Ends.
  | "committed"
  | "aborted"
  | "compensated"
  /** TCC: a reservation ran out after the decision and its resource had gone. Said, never hidden. */
  | "mixed"
  /** 3PC: another coordinator has a higher ballot and finishes it. */
  | "superseded";

export type BranchState =
  | "idle"
  /** A message is under way. */
  | "asked"
  | "yes"
  | "no"
  | "pre-committed"
  | "pre-aborted"
  | "committed"
  | "aborted"
  | "refused"
  /** Nobody waits for it any more. What was decided is still its due. */
  | "set-aside";

/** One participant as its coordinator knows it. */
export interface Branch {
  readonly id: string;
  readonly state: BranchState;
  /** The last message sent, so that a late answer to an older one changes nothing. */
  readonly asked: MessageKind | null;
  readonly votedAt: number | null;
  readonly endedAt: number | null;
  readonly attempts: number;
  /** When the next message may go; null: an answer is awaited and the transport repeats by itself. */
  readonly nextAt: number | null;
  readonly lastError: string | null;
  /** 3PC termination: what it said it holds. */
  readonly report: Report | null;
}

export interface Report {
  readonly state: ParticipantState;
  readonly attempt: number;
}

/** Durable before any of its messages leaves. */
export interface Transaction {
  readonly id: string;
  readonly protocol: Protocol;
  readonly phase: Phase;
  readonly branches: readonly Branch[];
  readonly decision: "commit" | "abort" | null;
  readonly decidedAt: number | null;
  /** Until then every vote must be in. */
  readonly deadlineAt: number;
  /** First pause before a message is repeated, doubled up to sixteen times; null: the transport repeats by itself. */
  readonly retryMs: number | null;
  readonly ballot: number;
  /** A decision to commit waits until it is opened. */
  readonly gated: boolean;
  /** Saga: it waits after each of these branches until it is opened. */
  readonly gates: readonly string[];
  /** TCC: when the reservations end by themselves, and until when a decision to confirm may still be taken. */
  readonly expiresAt: number | null;
  readonly confirmBy: number | null;
  /** Why it was aborted or compensated: a code and who caused it. */
  readonly cause: { readonly code: string; readonly branch: string | null } | null;
  /** 3PC: fewer than a majority answer; nothing is decided until they do. */
  readonly blockedSince: number | null;
}

export type ParticipantState =
  | "none"
  | "prepared"
  | "pre-committed"
  | "pre-aborted"
  | "committed"
  | "aborted"
  | "done"
  | "undone"
  | "tried"
  | "confirmed"
  | "cancelled"
  | "expired";

/** `yes` and `no` are votes; `done` an acknowledgement; `refused` a contradiction or a lower ballot; `failed` did not work, try again. */
export type AnswerKind = "yes" | "no" | "done" | "refused" | "failed";

export interface Answer {
  readonly kind: AnswerKind;
  readonly detail: string | null;
  readonly report: Report;
  /** The highest ballot the participant has heard. */
  readonly ballot: number;
}

export type Input =
  | { readonly kind: "time" }
  | { readonly kind: "answered"; readonly from: string; readonly to: MessageKind; readonly answer: Answer }
  /** This participant will not answer again before somebody repairs it. */
  | { readonly kind: "lost"; readonly branch: string; readonly detail: string }
  /** A person goes on without it: only after the decision, which stays its due; before, one that is missing is a no. */
  | { readonly kind: "set-aside"; readonly branch: string }
  | { readonly kind: "abort-requested"; readonly code: string; readonly branch: string | null }
  | { readonly kind: "gate-opened" }
  /** The coordinator came back and reads its record: everything under way is asked again. */
  | { readonly kind: "restarted" };
