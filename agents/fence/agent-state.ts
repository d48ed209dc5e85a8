import { randomBytes } from "node:crypto";
import { join } from "node:path";
import * as z from "zod/mini";
import type { CommandOutcome } from "../../server/core/index.ts";
import { commandOutcomeSchema, fenceRecordSchema } from "../commands/schemas.ts";
import { readIfPresent, writeDurably } from "../shared/durable-file.ts";
import { describeMistakes } from "../shared/schema-errors.ts";
import { emptyFence, type FenceRecord } from "./promise.ts";

/** A command that was accepted: its outcome once there is one. */
export interface LedgerEntry {
  readonly id: string;
  readonly cluster: string;
  readonly verb: string;
  readonly outcome: CommandOutcome | null;
  /** Wall clock of the outcome, as reported with it. */
  readonly finishedAt: number | null;
  readonly acknowledged: boolean;
}

/** Everything the agent must not forget across a restart, in one file: one fsynced replacement a command. */
export interface AgentState {
  /** Highest command counter seen, by server key. */
  readonly counters: Readonly<Record<string, number>>;
  /** Oldest first. */
  readonly ledger: readonly LedgerEntry[];
  /** By cluster. */
  readonly fences: Readonly<Record<string, FenceRecord>>;
  /** By cluster: the highest timeline a WAL receiver was seen on. */
  readonly timelines: Readonly<Record<string, number>>;
}

/** Commands remembered; older ones are kept from running again by the counter. */
export const maxLedger = 128;

const emptyState: AgentState = { counters: {}, ledger: [], fences: {}, timelines: {} };

const stateSchema = z.object({
  counters: z.record(z.string(), z.number()),
  ledger: z.array(
    z.object({
      id: z.string(),
      cluster: z.string(),
      verb: z.string(),
      outcome: z.nullable(commandOutcomeSchema),
      finishedAt: z.nullable(z.number()),
      acknowledged: z.boolean(),
    }),
  ),
  fences: z.record(z.string(), fenceRecordSchema),
  timelines: z.record(z.string(), z.number()),
});

/** The agent's durable state. `update` resolves when the change would survive a power cut. */
export class AgentStateStore {
  readonly #path: string;
  #state: AgentState;
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  private constructor(path: string, state: AgentState) {
    this.#path = path;
    this.#state = state;
  }

  /**
   * @throws Error when the file is there and cannot be understood: a fence must not be forgotten silently.
   */
  static async open(stateDir: string): Promise<AgentStateStore> {
    const path = join(stateDir, "state.json");
    const text = await readIfPresent(path);
    if (text === null) return new AgentStateStore(path, emptyState);
    const parsed = z.safeParse(stateSchema, parseJson(text));
    if (!parsed.success) {
      throw new Error(
        `${path} is damaged (${describeMistakes(parsed.error)}). It holds what this node promised; without it the node must join as a new one: ` +
          "move the file away, empty the data directory and enrol it under a new name.",
      );
    }
    return new AgentStateStore(path, interruptUnfinished(parsed.data));
  }

  get state(): AgentState {
    return this.#state;
  }

  fence(cluster: string): FenceRecord {
    return this.#state.fences[cluster] ?? emptyFence;
  }

  /** Applies a change in memory at once, and makes it durable. */
  update(change: (state: AgentState) => AgentState): Promise<void> {
    this.#state = change(this.#state);
    // Changes that come while a write is under way share the one after it.
    this.#next ??= this.#writing.then(() => {
      this.#next = null;
      return writeDurably(this.#path, JSON.stringify(this.#state));
    });
    const written = this.#next;
    this.#writing = written.catch(() => undefined);
    return written;
  }
}

/** Commands that ran when the agent died: nobody knows how far they came, and they never run twice. */
function interruptUnfinished(state: AgentState): AgentState {
  const outcome: CommandOutcome = {
    status: "failed",
    code: "interrupted",
    detail: "the agent restarted while this command ran; how far it came is unknown",
  };
  return {
    ...state,
    ledger: state.ledger.map((entry) =>
      entry.outcome === null ? { ...entry, outcome, finishedAt: Date.now() } : entry,
    ),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A fresh id: 128 random bits in hexadecimal. */
export function randomId(): string {
  return randomBytes(16).toString("hex");
}
