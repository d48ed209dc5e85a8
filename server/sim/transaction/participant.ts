import {
  type Answer,
  answerOf,
  type IncomingMessage,
  isInDoubt,
  type ParticipantRecord,
  type Work,
} from "../../core/transaction/index.ts";
import type { World } from "./network.ts";
import { type Crashes, Process } from "./process.ts";
import type { Resource } from "./resource.ts";
import type { Rules } from "./rules.ts";

const askAfterMs = 1_500;
const askEveryMs = 700;

export interface ParticipantParts {
  readonly rules: Rules;
  readonly resource: Resource;
  /** Wills: does it vote yes? */
  readonly votesYes: boolean;
  answer(from: string, message: IncomingMessage, answer: Answer): void;
  /** In doubt for too long: ask the coordinator, or (3PC) take over. */
  inquire(participant: Participant, round: number): void;
}

/** A participant on its disk: the record of the transaction and the resource. */
export class Participant extends Process {
  /** The disk. */
  record: ParticipantRecord;
  /** Every state the disk ever held, for the checkers. */
  readonly history: ParticipantRecord["state"][] = [];
  readonly #parts: ParticipantParts;
  #round = 0;

  constructor(id: string, world: World, crashes: Crashes, parts: ParticipantParts) {
    super(id, world, crashes);
    this.#parts = parts;
    this.record = parts.rules.freshParticipant;
    this.#watch();
  }

  receive(message: IncomingMessage): void {
    this.turn(() => {
      const { rules } = this.#parts;
      this.#expire();
      const verdict = rules.judgeMessage(this.record, message);
      this.boundary(`participant:${message.kind}:received`);
      const worked = verdict.work === null || this.#work(verdict.work);
      const ended = worked || verdict.failed === null ? verdict : { ...verdict, ...verdict.failed };
      this.boundary(`participant:${message.kind}:worked`);
      const speak = () =>
        this.#parts.answer(this.id, message, answerOf(ended.record, ended.answer, worked ? null : "did not work"));
      if (!rules.participantPersistsFirst) speak();
      this.boundary(`participant:${message.kind}:before-record`);
      this.#persist(ended.record);
      this.boundary(`participant:${message.kind}:recorded`);
      if (rules.participantPersistsFirst) speak();
      this.boundary(`participant:${message.kind}:answered`);
    });
  }

  protected restart(): void {
    // What a crash cut short before its record is held for nobody.
    if (this.record.state === "none") {
      this.#parts.resource.discard();
      this.#parts.resource.release();
    }
    this.#watch();
  }

  #persist(record: ParticipantRecord): void {
    this.record = record;
    this.history.push(record.state);
  }

  #work(work: Work): boolean {
    const { resource, votesYes } = this.#parts;
    switch (work) {
      case "prepare":
        return votesYes && resource.stage();
      case "commit":
        return resource.apply(this.world.nowMs);
      case "abort":
        return resource.discard();
      case "do":
        return votesYes && resource.apply(this.world.nowMs);
      case "undo":
        return resource.undo(this.world.nowMs);
      case "try":
        return votesYes && resource.reserve();
      case "confirm":
        return resource.use();
      case "try-and-confirm":
        return resource.reserve() && resource.use();
      case "cancel":
        return resource.release();
      default:
        return work satisfies never;
    }
  }

  #expire(): void {
    if (!this.#parts.rules.isExpired(this.record, this.world.nowMs)) return;
    this.#parts.resource.release();
    this.boundary("participant:expire:released");
    this.#persist({ ...this.record, state: "expired" });
  }

  /** What is in doubt asks, first after a while, then again and again. */
  #watch(): void {
    this.later(askAfterMs, () => this.#ask());
  }

  #ask(): void {
    this.#expire();
    if (isInDoubt(this.record.state)) this.#parts.inquire(this, ++this.#round);
    this.later(askEveryMs + this.world.random.between(0, 200), () => this.#ask());
  }
}
