import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { AnyVerb, ChangeItem, CommandOutcome, Grant, ProgramStatus } from "../../../server/core/index.ts";
import {
  freshParticipant,
  isInDoubt,
  judgeMessage,
  type ParticipantRecord,
  type Work,
} from "../../../server/core/transaction/index.ts";
import { readIfPresent, writeDurably } from "../../shared/durable-file.ts";
import { messageOf } from "../../shared/time.ts";
import { discardFile, keptContent, restoreFile, stageFile, swapFile } from "./config-files.ts";
import type { Program } from "./program.ts";
import { demandRelease } from "./releases.ts";
import type { ProgramFile } from "./service.ts";

/** Changes remembered, so that a late message finds what became of its change. */
const maxRemembered = 40;

/** What is kept of a change, fsynced before it is answered. */
interface Remembered {
  readonly record: ParticipantRecord;
  /** The release that ran before. */
  readonly before: string | null;
  /** Switched to before the decision: an abort leads back. */
  readonly tried: boolean;
  readonly since: number;
}

type Memory = Readonly<Record<string, Remembered>>;
type StepArgs = Extract<AnyVerb, { verb: "change.step" }>["args"];

/** This node's part in changes of one service: what it promises it keeps across a crash, and every step is safe to repeat. */
export class ProgramParticipant {
  readonly #program: Program;
  #memory: Memory = {};
  #lane: Promise<unknown> = Promise.resolve();

  constructor(program: Program) {
    this.#program = program;
  }

  async open(): Promise<void> {
    await mkdir(this.#program.service.stateDir, { recursive: true, mode: 0o700 });
    const text = await readIfPresent(this.#path);
    if (text !== null) this.#memory = JSON.parse(text) as Memory;
  }

  /** The newest change that is not settled here, or the newest at all. */
  current(): ProgramStatus["change"] {
    const entries = Object.entries(this.#memory).sort((a, b) => a[1].since - b[1].since);
    const [id, entry] = entries.findLast(([, each]) => isInDoubt(each.record.state)) ?? entries.at(-1) ?? [];
    return id === undefined || entry === undefined ? null : { id, state: entry.record.state, since: entry.since };
  }

  run(_grant: Grant, verb: AnyVerb): Promise<CommandOutcome> {
    if (verb.verb !== "change.step") {
      return Promise.resolve({ status: "refused", code: "unknown-verb", detail: `a service has no verb ${verb.verb}` });
    }
    const { args } = verb;
    const turn = this.#lane.then(() => this.#step(args));
    this.#lane = turn.catch(() => undefined);
    return turn;
  }

  async #step(args: StepArgs): Promise<CommandOutcome> {
    const known = this.#memory[args.change] ?? { record: freshParticipant, before: null, tried: false, since: 0 };
    if (args.message === "trial") return this.#trial(args, known);
    const before = known.since === 0 ? this.#program.status().version : known.before;
    const verdict = judgeMessage(known.record, { kind: args.message, ballot: args.ballot, expiresAt: null });
    const entry = { ...known, before, record: verdict.record, since: Date.now() };
    let detail: string | null = null;
    try {
      // Where an undo leads is known before anything is done.
      if (verdict.work !== null && known.since === 0) await this.#remember(args.change, { ...known, before, since: 1 });
      if (verdict.work !== null) detail = await this.#work(verdict.work, args, entry);
    } catch (error) {
      if (verdict.failed === null) throw error;
      if (verdict.work === "do") await this.#takeBack(args, entry).catch(() => undefined);
      await this.#remember(args.change, { ...entry, record: verdict.failed.record });
      return answer(verdict.failed.record, verdict.failed.answer, messageOf(error));
    }
    const settled = verdict.record.state !== known.record.state && !isInDoubt(verdict.record.state);
    await this.#remember(args.change, { ...entry, tried: entry.tried && !settled });
    return answer(verdict.record, verdict.answer, detail);
  }

  /** The first nodes switch before the decision; only what is prepared may be tried. */
  async #trial(args: StepArgs, known: Remembered): Promise<CommandOutcome> {
    if (!isInDoubt(known.record.state)) return answer(known.record, "refused", `it is ${known.record.state} here`);
    if (!known.tried) await this.#remember(args.change, { ...known, tried: true });
    try {
      const { ok, detail } = await this.#apply(args);
      return answer(known.record, ok ? "done" : "no", detail);
    } catch (error) {
      // What can't even be switched to has failed its trial; without an answer the change would wait for ever.
      return answer(known.record, "no", messageOf(error));
    }
  }

  async #work(work: Work, args: StepArgs, entry: Remembered): Promise<string | null> {
    switch (work) {
      case "prepare":
      case "try":
        await this.#stage(args);
        return null;
      case "commit":
      case "confirm":
      case "try-and-confirm":
        // The decision stands, whatever the service makes of it; its health is judged afterwards.
        return (await this.#apply(args)).detail;
      case "do": {
        await this.#stage(args);
        const { ok, detail } = await this.#apply(args);
        if (!ok) throw new Error(detail);
        return detail;
      }
      case "abort":
      case "cancel":
        if (entry.tried) return this.#takeBack(args, entry);
        await this.#discard(args);
        return null;
      case "undo":
        return this.#takeBack(args, entry);
      default:
        return work satisfies never;
    }
  }

  async #stage({ item, change }: StepArgs): Promise<void> {
    const { service } = this.#program;
    switch (item.kind) {
      case "restart":
        if (this.#program.status().version === null) throw new Error("no release is switched to here");
        return;
      case "release":
        return demandRelease(service.dir, item.version);
      case "config":
        return stageFile(service, this.#file(item), change, item.content);
      case "config-revert": {
        const file = this.#file(item);
        const content = await keptContent(service, file, item.change);
        if (content === null) throw new Error(`${item.file} was not there before ${item.change}`);
        return stageFile(service, file, change, content);
      }
      default:
        return item satisfies never;
    }
  }

  async #apply({ item, change }: StepArgs): Promise<{ readonly ok: boolean; readonly detail: string }> {
    if (item.kind === "release") return this.#program.switchTo(item.version);
    if (item.kind === "restart") return this.#program.restart();
    const file = this.#file(item);
    await swapFile(this.#program.service, file, change);
    const reloaded = await this.#program.reload(file);
    await this.#program.refresh();
    return reloaded;
  }

  /** Back to what was before this change, when it had got that far. */
  async #takeBack(args: StepArgs, entry: Remembered): Promise<string | null> {
    const { item, change } = args;
    if (item.kind === "restart") return null;
    if (item.kind === "release") {
      if (this.#program.status().version !== item.version || entry.before === item.version) return null;
      return (await this.#program.switchTo(entry.before)).detail;
    }
    const file = this.#file(item);
    await discardFile(file, change);
    const restored = await restoreFile(this.#program.service, file, change);
    if (!restored) return null;
    const { detail } = await this.#program.reload(file);
    await this.#program.refresh();
    return detail;
  }

  async #discard({ item, change }: StepArgs): Promise<void> {
    if (item.kind === "config" || item.kind === "config-revert") await discardFile(this.#file(item), change);
  }

  #file(item: Extract<ChangeItem, { file: string }>): ProgramFile {
    const file = this.#program.service.files.find(({ name }) => name === item.file);
    if (file === undefined) throw new Error(`${this.#program.service.name} has no file named ${item.file} here`);
    return file;
  }

  get #path(): string {
    return join(this.#program.service.stateDir, `${this.#program.service.name}.changes.json`);
  }

  async #remember(change: string, entry: Remembered): Promise<void> {
    const entries = Object.entries({ ...this.#memory, [change]: entry });
    const settled = entries
      .filter(([, { record }]) => !isInDoubt(record.state))
      .sort((a, b) => a[1].since - b[1].since);
    const forgotten = new Set(settled.slice(0, Math.max(0, entries.length - maxRemembered)).map(([id]) => id));
    const memory = Object.fromEntries(entries.filter(([id]) => !forgotten.has(id)));
    await writeDurably(this.#path, JSON.stringify(memory));
    this.#memory = memory;
  }
}

export function answer(record: ParticipantRecord, kind: string, detail: string | null): CommandOutcome {
  const { state, attempt, elected } = record;
  return {
    status: "done",
    data: { answer: kind, state, attempt, ballot: elected, detail: detail?.slice(0, 500) ?? null },
  };
}
