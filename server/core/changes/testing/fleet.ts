import { expect } from "vitest";
import type { DocumentOf } from "../../documents.ts";
import { applyWrites, createState, type Decision, decide, defaultPolicy, type Event, type State } from "../../index.ts";
import type { CommandRecord } from "../../recovery/command.ts";
import type { ParticipantState } from "../../transaction/types.ts";
import type { DryRun } from "../open.ts";
import { planRollout } from "../plan.ts";
import type { ProgramStatus, RolloutRequest } from "../types.ts";

export const nodes = ["web-1", "web-2", "web-3"];

/** Nodes whose agents do as they are told; a test says what goes wrong. */
export class Fleet {
  readonly state: State = createState(defaultPolicy);
  readonly programs = new Map<string, ProgramStatus>();
  readonly asked: string[] = [];
  /** Versions that crash a while after their start. */
  readonly bad = new Set<string>();
  silent: string | null = null;
  /** What becomes of every trial; null: it works. */
  trialOutcome: object | null = null;
  /** Nodes that vote no. */
  readonly refusing = new Set<string>();
  /** Nodes without an agent. */
  readonly away = new Set<string>();
  nowMs = 1_000_000;
  #request = 0;
  #last: DocumentOf<"change"> | null = null;

  constructor() {
    for (const node of nodes) {
      this.programs.set(node, createStatus());
      const record = { id: node, publicKey: node, zone: "z", labels: {}, enrolledAt: 0, revokedAt: null };
      this.play([{ kind: "node-enrolled", node: { ...record, maintenance: null } }]);
      const session = { sessionId: `s-${node}`, bootId: "b", version: "1", address: "" };
      this.play([{ kind: "agent-connected", node, ...session }]);
    }
    this.pass(500);
  }

  play(events: readonly Event[]): Decision {
    const now = { monoMs: this.nowMs, wallMs: this.nowMs, entropy: `e${this.nowMs}-${this.#request++}` };
    const decision = decide(this.state, events, now);
    applyWrites(this.state, decision.writes);
    for (const write of decision.writes)
      if (write.kind === "put-document" && write.value.kind === "change") this.#last = write.value;
    for (const command of decision.send) {
      if (command.verb.verb !== "change.step") continue;
      this.asked.push(`${command.verb.args.message} ${command.node}`);
      if (command.node !== this.silent && !this.away.has(command.node)) this.#answer(command);
    }
    return decision;
  }

  /** The silent one is back and does what is still its due. */
  comeBack(): void {
    const due = [...this.state.durable.commands.values()].filter(({ node }) => node === this.silent);
    this.silent = null;
    for (const command of due) this.#answer(command);
  }

  /** Its agent is gone. */
  leave(node: string): void {
    this.away.add(node);
    this.play([{ kind: "agent-disconnected", node, sessionId: `s-${node}`, reason: "closed" }]);
  }

  /** Its agent is back, and takes what waited for it. */
  join(node: string): void {
    this.away.delete(node);
    const due = [...this.state.durable.commands.values()].filter((each) => each.node === node);
    const session = { sessionId: `s-${node}`, bootId: "b", version: "1", address: "" };
    this.play([{ kind: "agent-connected", node, ...session }]);
    for (const command of due) this.#answer(command);
  }

  #answer({ id: commandId, node, verb }: CommandRecord): void {
    if (verb.verb !== "change.step") return;
    const { message, item } = verb.args;
    if (message === "trial" && this.trialOutcome !== null) {
      this.play([{ kind: "command-finished", node, commandId, outcome: this.trialOutcome, nodeAt: 0 } as Event]);
      return;
    }
    const [answer, state] = this.#carryOut(node, message, item.kind === "release" ? item.version : "1.0");
    const outcome = { status: "done", data: { answer, state, attempt: 1, ballot: 1, detail: null } } as const;
    this.play([{ kind: "command-finished", node, commandId, outcome, nodeAt: 0 }]);
  }

  /** The database's agent answers what it was asked last. */
  answerSql(said: { readonly answer: string; readonly state?: string; readonly detail?: string }): void {
    const command = [...this.state.durable.commands.values()].find(({ verb }) => verb.verb === "change.sql");
    const outcome = { status: "done", data: { attempt: 0, ballot: 0, state: "none", detail: null, ...said } } as const;
    const [commandId, node] = [command?.id ?? "", command?.node ?? ""];
    this.play([{ kind: "command-finished", node, commandId, outcome, nodeAt: 0 }]);
  }

  setAside(participant: string): Decision["replies"] {
    const change = this.change()?.id ?? "";
    const actor = { id: "ada", name: "ada", role: "operator" } as const;
    const request = { kind: "set-participant-aside", change, participant, reason: "its disk burned" } as const;
    return this.play([{ kind: "operator-requested", requestId: "r", actor, request }]).replies;
  }

  #carryOut(node: string, message: string, version: string): [string, ParticipantState] {
    const status = this.programs.get(node) as ProgramStatus;
    const switchTo = (next: string | null) => this.programs.set(node, { ...status, version: next, crashes: 0 });
    if (message === "trial" || message === "commit" || message === "do") switchTo(version);
    if (message === "abort" || message === "undo") switchTo("1.0");
    if (message === "prepare") return this.refusing.has(node) ? ["no", "none"] : ["yes", "prepared"];
    if (message === "pre-commit") return ["done", "pre-committed"];
    if (message === "do") return ["yes", "done"];
    return ["done", message === "commit" ? "committed" : message === "trial" ? "prepared" : "aborted"];
  }

  pass(ms: number): void {
    for (const until = this.nowMs + ms; this.nowMs < until; this.nowMs += 250) {
      const here = nodes.filter((node) => !this.away.has(node));
      this.play([...here.map((node) => this.#beat(node)), { kind: "ticked" }]);
    }
  }

  #beat(node: string): Event {
    const status = this.programs.get(node) as ProgramStatus;
    const crashes = this.bad.has(status.version ?? "") ? status.crashes + 1 : 0;
    this.programs.set(node, { ...status, crashes });
    const time = { seq: this.nowMs, bootId: "b", monoMs: this.nowMs, wallMs: this.nowMs, arrivalMs: this.nowMs };
    const empty = { host: null, postgres: null, peers: [], checks: [], workloads: [], eager: false, loopLagMs: 0 };
    const programs = [this.programs.get(node) as ProgramStatus];
    return { kind: "heartbeat-received", node, sessionId: `s-${node}`, ...time, ...empty, programs };
  }

  rollOut(
    version: string,
    protocol: "2pc" | "3pc" | "saga",
    sql: RolloutRequest["sql"] = null,
    dryRun: DryRun | null = null,
  ): void {
    const item = { kind: "release", version } as const;
    const rollout = {
      service: "web",
      item,
      protocol,
      waves: [["web-1"], ["web-2", "web-3"]],
      watchMs: 2_000,
      sql,
    };
    const { planHash, runnable } = planRollout(this.state, rollout);
    expect(runnable).toBe(true);
    const actor = { id: "ada", name: "ada", role: "operator" } as const;
    const request = { kind: "start-rollout", rollout, planHash, dryRun, reason: "new" } as const;
    const decision = this.play([{ kind: "operator-requested", requestId: "r", actor, request }]);
    expect(decision.replies).toMatchObject([{ ok: true, data: { change: expect.stringMatching(/^CHG-/) } }]);
  }

  versions(): (string | null)[] {
    return nodes.map((node) => this.programs.get(node)?.version ?? null);
  }

  /** The change that was written last, also when it is closed. */
  lastChange(): DocumentOf<"change"> {
    if (this.#last === null) throw new Error("there was no change yet");
    return this.#last;
  }

  change(): DocumentOf<"change"> | undefined {
    const open = [...this.state.durable.documents.values()].find(({ kind }) => kind === "change");
    return open as DocumentOf<"change"> | undefined;
  }
}

function createStatus(): ProgramStatus {
  const health = { healthy: true, health: "ok", since: 0, crashes: 0, errors: 0, errorsBefore: 0 };
  const releases = ["1.0", "2.0", "3.0"];
  return { name: "web", version: "1.0", releases, state: "running", pid: 1, ...health, files: [], change: null };
}
