import type { Event, Reply } from "../core/index.ts";

/** Who waits for the outcome of an event: operators for their reply, gateways for an enrolment. Each is answered once. */
export class Waiting {
  readonly #replies = new Map<string, (reply: Reply) => void>();
  readonly #enrolments = new Map<string, (committed: boolean) => void>();

  forReply(requestId: string): Promise<Reply> {
    return new Promise((resolve) => this.#replies.set(requestId, resolve));
  }

  forEnrolment(node: string): Promise<boolean> {
    this.settleEnrolment(node, false);
    return new Promise((resolve) => this.#enrolments.set(node, resolve));
  }

  answer(reply: Reply): void {
    const resolve = this.#replies.get(reply.requestId);
    this.#replies.delete(reply.requestId);
    resolve?.(reply);
  }

  settleEnrolment(node: string, committed: boolean): void {
    const resolve = this.#enrolments.get(node);
    this.#enrolments.delete(node);
    resolve?.(committed);
  }

  /** Nothing came of these events: whoever waits for one of them is told. */
  refuse(events: readonly Event[], code: string): void {
    for (const event of events) {
      if (event.kind === "operator-requested") this.answer(refusal(event.requestId, code));
      else if (event.kind === "node-enrolled") this.settleEnrolment(event.node.id, false);
    }
  }

  refuseAll(code: string): void {
    for (const requestId of [...this.#replies.keys()]) this.answer(refusal(requestId, code));
    for (const node of [...this.#enrolments.keys()]) this.settleEnrolment(node, false);
  }
}

export function refusal(requestId: string, code: string): Reply {
  return { requestId, ok: false, code, data: {} };
}
