import { StoreUnavailableError } from "../shared/store-error.ts";

/**
 * What an error of a statement that was sent says of the transaction.
 * `conflict`: another leader. `rolled-back`: the server answered, nothing was written, a later try may succeed. `lost`: no answer; it may
 * have been committed. `bug`: the server will refuse this statement every time.
 */
export type FailureKind = "conflict" | "rolled-back" | "lost" | "bug";

/** Raised by `commit_writes`. */
const staleEpoch = "HF001";

/** Single states (PostgreSQL manual, appendix A): timeout of the statement, read-only, starting up, database dropped. */
const rolledBackStates = new Set(["57014", "25006", "57P03", "57P04"]);
/** Classes: transaction rollback, out of resources, object not in the right state, system error, internal error. */
const rolledBackClasses = new Set(["40", "53", "55", "58", "XX"]);
/** Shutdown of the server under way or a crash of a neighbour: sent at any moment, also during the commit. */
const lostStates = new Set(["57P01", "57P02", "57P05"]);

function readState(error: unknown): string | null {
  if (!(error instanceof Error) || !("code" in error)) return null;
  return typeof error.code === "string" && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : null;
}

export function classifyFailure(error: unknown): FailureKind {
  const state = readState(error);
  if (state === null || state.startsWith("08") || lostStates.has(state)) return "lost";
  if (state === staleEpoch) return "conflict";
  if (rolledBackStates.has(state) || rolledBackClasses.has(state.slice(0, 2))) return "rolled-back";
  return "bug";
}

export function describeFailure(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return describeFailure(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

/** Errors of the connection become `StoreUnavailableError`; a bug stays what it is. */
export function toStoreError(error: unknown): unknown {
  if (error instanceof StoreUnavailableError || classifyFailure(error) === "bug") return error;
  return new StoreUnavailableError(describeFailure(error), error);
}
