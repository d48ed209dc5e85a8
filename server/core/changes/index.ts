/** Releases and configuration on their way to the nodes of a service. Pure. */

export { evaluateChanges, recordChangeOutcome } from "./drive.ts";
export {
  type ChangeFilter,
  type ChangeKind,
  type ChangeState,
  changeKinds,
  changeStates,
  matchesChange,
} from "./filter.ts";
export type { DryRun } from "./open.ts";
export { planRollout, versionOf } from "./plan.ts";
export { listProgram, listServices, type ProgramOnNode, versionBefore } from "./programs.ts";
export { answerChangeRequest, type ChangeRequest, decisionOfGid, isChangeRequest, planRollback } from "./requests.ts";
export type * from "./types.ts";
export { type ChangeItem, type ChangeVerb, changeOfGid, gidOf, gidPrefix, type StepKind, scopeOf } from "./verbs.ts";
