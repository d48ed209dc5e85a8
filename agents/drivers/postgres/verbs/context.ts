import type { CommandOutcome, Grant, Verb, VerbName } from "../../../../server/core/index.ts";
import type { PostgresInstance } from "../instance.ts";

/** What a verb works with. Its grant was accepted and is durable before it runs. */
export interface VerbContext {
  readonly instance: PostgresInstance;
  readonly grant: Grant;
  /** False as soon as something higher was promised: then a long verb must stop before its next effect. */
  stillHolds(): boolean;
  progress(progress: number, data: Readonly<Record<string, string | number | boolean | null>>): void;
  /** Aborted when a higher promise overtakes this command. */
  readonly signal: AbortSignal;
}

export type ArgsOf<V extends VerbName> = Extract<Verb, { readonly verb: V }>["args"];
export type Data = Readonly<Record<string, unknown>>;
export type VerbHandler<V extends VerbName> = (context: VerbContext, args: ArgsOf<V>) => Promise<Data>;

/** Thrown by a verb that has done nothing, with its reason. */
export class Refusal extends Error {
  readonly code: string;
  constructor(code: string, detail: string) {
    super(detail);
    this.code = code;
  }
}

/** Thrown by a verb that tried. */
export class Failure extends Error {
  readonly code: string;
  constructor(code: string, detail: string) {
    super(detail);
    this.code = code;
  }
}

export function outcomeOfError(error: unknown): CommandOutcome {
  const detail = (error instanceof Error ? error.message : String(error)).slice(0, 1_000);
  if (error instanceof Refusal) return { status: "refused", code: error.code, detail };
  if (error instanceof Failure) return { status: "failed", code: error.code, detail };
  return { status: "failed", code: "error", detail };
}

/** @throws Failure when something higher was promised meanwhile. */
export function assertHolds(context: VerbContext): void {
  if (!context.stillHolds()) throw new Failure("overtaken", "a higher promise was made while this command ran");
}

/** @throws Refusal when there is no database here. */
export function assertDatabase(instance: PostgresInstance): void {
  if (instance.rejoining) throw new Refusal("rejoining", "a rejoin is under way on this member");
  if (instance.empty) throw new Refusal("empty", "there is no database on this member yet");
}
