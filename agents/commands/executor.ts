import type { AnyVerb, CommandOutcome, Grant } from "../../server/core/index.ts";
import type { AgentFrame, CommandFrame } from "../../server/protocol/index.ts";
import { verifyText } from "../connection/identity.ts";
import { type AgentState, type AgentStateStore, type LedgerEntry, maxLedger } from "../fence/agent-state.ts";
import { emptyFence, recordOutcome } from "../fence/promise.ts";
import type { Log } from "../shared/log.ts";
import { messageOf, monotonicMs } from "../shared/time.ts";
import { checkEnvelope } from "./check-envelope.ts";

/** Whatever runs verbs on a service. */
export interface VerbRunner {
  run(
    grant: Grant,
    verb: AnyVerb,
    progress: (progress: number, data: Readonly<Record<string, string | number | boolean | null>>) => void,
  ): Promise<CommandOutcome>;
}

export interface ExecutorOptions {
  readonly store: AgentStateStore;
  readonly allow: ReadonlySet<string>;
  /** By cluster. */
  readonly runners: ReadonlyMap<string, VerbRunner>;
  /** Who takes part in changes, by cluster or `program:<name>`. */
  readonly participants?: ReadonlyMap<string, VerbRunner>;
  /** Cuts other nodes off, by this agent's own configuration; for any cluster. */
  readonly hooks?: VerbRunner;
  readonly log: Log;
  session(): { readonly agentKey: string; readonly serverKey: string; readonly sessionMs: number };
  send(frame: AgentFrame): boolean;
  signal(code: string, data: Readonly<Record<string, string | number | boolean | null>>): void;
}

const progressIntervalMs = 250;

/** Takes commands from the control plane: judges, makes the promise durable, runs, keeps the result until it is acknowledged. */
export class CommandExecutor {
  readonly #options: ExecutorOptions;

  constructor(options: ExecutorOptions) {
    this.#options = options;
  }

  async receive(frame: CommandFrame): Promise<void> {
    const { envelope } = frame;
    const { store, log } = this.#options;
    const session = this.#options.session();
    const known = store.state.ledger.find((entry) => entry.id === envelope.id) ?? null;
    const verdict = checkEnvelope(envelope, frame.signature, {
      ...session,
      highestCounter: store.state.counters[session.serverKey] ?? 0,
      known,
      fence: store.fence(envelope.cluster),
      allow: this.#options.allow,
      clusters: new Set([
        ...this.#options.runners.keys(),
        ...(this.#options.participants?.keys() ?? []),
        // A hook's node may belong to a cluster that this agent has no member of.
        ...(envelope.verb === "host.fence" ? [envelope.cluster] : []),
      ]),
      verify: verifyText,
    });
    switch (verdict.kind) {
      case "forged":
        log("error", "a command with a bad signature was dropped", { id: envelope.id });
        this.#options.signal("command-forged", { verb: envelope.verb.slice(0, 40) });
        return;
      case "repeated":
        if (verdict.outcome !== null) this.#answer(envelope.id, verdict.outcome, known?.finishedAt ?? Date.now());
        return;
      case "refused": {
        log("warn", `refused ${envelope.verb}: ${verdict.detail}`, { id: envelope.id, code: verdict.code });
        await store.update((state) => raiseCounter(state, session.serverKey, envelope.counter));
        this.#answer(envelope.id, { status: "refused", code: verdict.code, detail: verdict.detail }, Date.now());
        return;
      }
      case "accepted": {
        const entry: LedgerEntry = {
          id: envelope.id,
          cluster: envelope.cluster,
          verb: envelope.verb,
          outcome: null,
          finishedAt: null,
          acknowledged: false,
        };
        try {
          await store.update((state) => ({
            ...raiseCounter(state, session.serverKey, envelope.counter),
            ledger: trimLedger([...state.ledger, entry]),
            fences: { ...state.fences, [envelope.cluster]: verdict.fence },
          }));
        } catch (error) {
          // A promise that could be forgotten is none: the verb must not run.
          const detail = `the promise could not be written: ${messageOf(error)}`;
          await this.#finish(envelope.id, { status: "failed", code: "not-durable", detail }, (fences) => fences);
          return;
        }
        await this.#run(envelope.id, envelope.cluster, envelope.grant, verdict.verb);
        return;
      }
      default:
        verdict satisfies never;
    }
  }

  /** Results that the control plane has not confirmed, told again after a reconnect. */
  resend(): void {
    for (const { id, outcome, finishedAt, acknowledged } of this.#options.store.state.ledger) {
      if (outcome !== null && !acknowledged) this.#answer(id, outcome, finishedAt ?? Date.now());
    }
  }

  async acknowledge(commandId: string): Promise<void> {
    const { store } = this.#options;
    if (!store.state.ledger.some((entry) => entry.id === commandId && !entry.acknowledged)) return;
    await store.update((state) => ({
      ...state,
      ledger: state.ledger.map((entry) => (entry.id === commandId ? { ...entry, acknowledged: true } : entry)),
    }));
  }

  async #run(id: string, cluster: string, grant: Grant, verb: AnyVerb): Promise<void> {
    const { log } = this.#options;
    const startedAt = monotonicMs();
    const runner = this.#runnerOf(cluster, verb);
    const outcome: CommandOutcome =
      runner === undefined
        ? { status: "refused", code: "unknown-verb", detail: `${cluster} has no ${verb.verb} here` }
        : await runner.run(grant, verb, this.#progressOf(id));
    const ms = Math.round(monotonicMs() - startedAt);
    log(outcome.status === "done" ? "info" : "warn", `${verb.verb} ${outcome.status}`, {
      id,
      ms,
      ...(outcome.status === "done" ? {} : { code: outcome.code, detail: outcome.detail }),
    });
    await this.#finish(id, outcome, (fences) => ({
      ...fences,
      [cluster]: recordOutcome(fences[cluster] ?? emptyFence, { grant, verb }, outcome),
    }));
  }

  #runnerOf(cluster: string, { verb }: AnyVerb): VerbRunner | undefined {
    const { runners, participants, hooks } = this.#options;
    if (verb === "host.fence") return hooks;
    return verb.startsWith("change.") ? participants?.get(cluster) : runners.get(cluster);
  }

  /** The promise is durable since before the verb ran; the answer need not wait for the outcome to be. */
  async #finish(
    id: string,
    outcome: CommandOutcome,
    change: (fences: AgentState["fences"]) => AgentState["fences"],
  ): Promise<void> {
    const finishedAt = Date.now();
    this.#answer(id, outcome, finishedAt);
    await this.#options.store.update((state) => ({
      ...state,
      ledger: state.ledger.map((entry) => (entry.id === id ? { ...entry, outcome, finishedAt } : entry)),
      fences: change(state.fences),
    }));
  }

  #progressOf(
    id: string,
  ): (progress: number, data: Readonly<Record<string, string | number | boolean | null>>) => void {
    let lastMs = Number.NEGATIVE_INFINITY;
    return (progress, data) => {
      const nowMs = monotonicMs();
      if (progress > 0 && progress < 1 && nowMs - lastMs < progressIntervalMs) return;
      lastMs = nowMs;
      this.#options.send({ t: "progress", commandId: id, progress, data });
    };
  }

  #answer(commandId: string, outcome: CommandOutcome, nodeAt: number): void {
    this.#options.send({ t: "result", commandId, outcome, nodeAt });
  }
}

function raiseCounter(state: AgentState, serverKey: string, counter: number): AgentState {
  const highest = Math.max(counter, state.counters[serverKey] ?? 0);
  return { ...state, counters: { ...state.counters, [serverKey]: highest } };
}

/** Drops the oldest; those that run or wait for their acknowledgement last. */
function trimLedger(ledger: readonly LedgerEntry[]): readonly LedgerEntry[] {
  if (ledger.length <= maxLedger) return ledger;
  const index = ledger.findIndex((entry) => entry.acknowledged);
  return ledger.filter((_, position) => position !== Math.max(0, index));
}
