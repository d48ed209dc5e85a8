import type { DocumentOf } from "../documents.ts";

/** What of the list of changes is wanted; whatever is left out does not restrict it. */
export interface ChangeFilter {
  /** Part of its id, service, version, file, reason, who began it, or a participant; case does not matter. */
  readonly text?: string | undefined;
  readonly state?: ChangeState | undefined;
  readonly kind?: ChangeKind | undefined;
}

export const changeStates = ["running", "done", "aborted", "rolled-back"] as const;
export type ChangeState = (typeof changeStates)[number];

export const changeKinds = ["release", "config", "restart", "rollback", "dry-run"] as const;
/** A rollback and a dry run are called so, whatever they bring. */
export type ChangeKind = (typeof changeKinds)[number];

type Change = DocumentOf<"change">;

export function matchesChange(change: Change, { text, state, kind }: ChangeFilter): boolean {
  if (state !== undefined && stateOf(change) !== state) return false;
  if (kind !== undefined && kindOf(change) !== kind) return false;
  const needle = text?.trim().toLowerCase() ?? "";
  return needle === "" || wordsOf(change).some((word) => word.toLowerCase().includes(needle));
}

function stateOf({ closedAt, phase }: Change): ChangeState {
  if (closedAt === null) return "running";
  if (phase === "done" || phase === "rolled-back") return phase;
  return "aborted";
}

function kindOf({ dryRun, rollbackOf, item }: Change): ChangeKind {
  if (dryRun === true) return "dry-run";
  if (rollbackOf !== null) return "rollback";
  return item.kind === "config-revert" ? "config" : item.kind;
}

function wordsOf({ id, service, version, item, reason, by, targets, incidentId }: Change): string[] {
  const file = "file" in item ? [item.file] : [];
  const names = targets.flatMap((target) => [target.id, target.node]);
  return [id, service, version, reason, by, incidentId ?? "", ...file, ...names];
}
