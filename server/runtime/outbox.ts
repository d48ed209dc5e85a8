import type { CommandRecord, State } from "../core/index.ts";
import type { AgentLink } from "../ports/agent-link.ts";

/** First repetition of a command without a result, and the limit of the growing distance. The agent runs an id once. */
const firstRetryMs = 3_000;
const maxRetryMs = 30_000;

interface Sending {
  sentAtMs: number;
  retryMs: number;
}

/** Sends committed commands until their result is committed. Knows nothing that the durable state does not know. */
export class Outbox {
  readonly #sending = new Map<string, Sending>();
  readonly #link: AgentLink;
  readonly #state: State;

  constructor(state: State, link: AgentLink) {
    this.#state = state;
    this.#link = link;
  }

  send(command: CommandRecord, nowMs: number): void {
    const before = this.#sending.get(command.id);
    const retryMs = before === undefined ? firstRetryMs : Math.min(maxRetryMs, before.retryMs * 2);
    // Without a session it stays here: the next one begins with everything that is pending.
    this.#link.send(command);
    this.#sending.set(command.id, { sentAtMs: nowMs, retryMs });
  }

  /** A new session knows nothing of what went into the old one: everything pending goes again, in order of its making. */
  resendTo(node: string, nowMs: number): void {
    const pending = [...this.#state.durable.commands.values()].filter((command) => command.node === node);
    pending.sort((a, b) => a.createdAt - b.createdAt || a.grant.step - b.grant.step);
    for (const command of pending) {
      this.#sending.delete(command.id);
      this.send(command, nowMs);
    }
  }

  /** Repeats what has had no result for too long and forgets what has left the durable state. */
  sweep(nowMs: number): void {
    for (const id of this.#sending.keys()) if (!this.#state.durable.commands.has(id)) this.#sending.delete(id);
    for (const command of this.#state.durable.commands.values()) {
      const sending = this.#sending.get(command.id);
      if (sending === undefined || nowMs - sending.sentAtMs >= sending.retryMs) this.send(command, nowMs);
    }
  }
}
