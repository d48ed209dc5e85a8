import { type Answer, type Input, isEnded, type Message, type Transaction } from "../../core/transaction/index.ts";
import type { World } from "./network.ts";
import { type Crashes, Process } from "./process.ts";
import type { Rules } from "./rules.ts";

const tickMs = 100;

export interface CoordinatorParts {
  readonly rules: Rules;
  open(nowMs: number): Transaction;
  /** Presumed abort: only what must be remembered is written; a coordinator without a record has decided nothing. */
  readonly writesOnlyDecisions: boolean;
  readonly returns: boolean;
  deliver(message: Message): void;
  tell(participant: string, decision: "commit" | "abort"): void;
}

/** The coordinator on its disk. */
export class Coordinator extends Process {
  /** The disk; null: nothing was ever written. */
  disk: Transaction | null = null;
  readonly decisions: string[] = [];
  wasBlocked = false;
  #memory: Transaction | null = null;
  readonly #parts: CoordinatorParts;
  readonly #role: string;

  constructor(id: string, world: World, crashes: Crashes, parts: CoordinatorParts, role = "coordinator") {
    super(id, world, crashes, parts.returns);
    this.#parts = parts;
    this.#role = role;
  }

  begin(): void {
    this.turn(() => {
      const opened = this.#parts.open(this.world.nowMs);
      this.#take(opened, { kind: "time" });
      this.#tick();
    });
  }

  receive(from: string, to: Message["kind"], answer: Answer): void {
    this.turn(() => {
      if (this.#memory !== null) this.#take(this.#memory, { kind: "answered", from, to, answer });
    });
  }

  /** A participant in doubt asks. */
  inquired(from: string): void {
    this.turn(() => {
      const answer = this.#parts.rules.answerInquiry(this.#memory);
      if (answer !== "undecided") this.#parts.tell(from, answer);
    });
  }

  /** What it knows now, or knew at the end. */
  get transaction(): Transaction | null {
    return this.#memory ?? this.disk;
  }

  protected restart(): void {
    this.#memory = this.disk;
    if (this.#memory !== null) this.#take(this.#memory, { kind: "restarted" });
    this.#tick();
  }

  #tick(): void {
    this.later(tickMs, () => {
      if (this.#memory !== null && !isEnded(this.#memory)) this.#take(this.#memory, { kind: "time" });
      this.#tick();
    });
  }

  #take(before: Transaction, input: Input): void {
    const { rules, deliver } = this.#parts;
    const { transaction, messages } = rules.advance(before, input, this.world.nowMs);
    const label = `${this.#role}:${transaction.phase}`;
    if (transaction.blockedSince !== null) this.wasBlocked = true;
    if (!rules.persistsFirst) for (const message of messages) deliver(message);
    if (transaction !== this.disk) {
      this.boundary(`${label}:before-record`);
      if (this.#mustWrite(transaction)) this.disk = transaction;
      this.boundary(`${label}:recorded`);
    }
    this.#memory = transaction;
    if (transaction.decision !== null) this.#note(transaction.decision);
    for (const message of rules.persistsFirst ? messages : []) {
      deliver(message);
      this.boundary(`${label}:sent`);
    }
  }

  #mustWrite(transaction: Transaction): boolean {
    return !this.#parts.writesOnlyDecisions || transaction.decision === "commit" || this.disk !== null;
  }

  #note(decision: string): void {
    if (this.decisions.at(-1) !== decision) this.decisions.push(decision);
  }
}
