/** The core's public face. Everything here is pure: no promise, clock, random number, I/O or class. */

export * from "./changes/index.ts";
export { applyWrites, decide } from "./control-plane.ts";
export { suspicion } from "./detection/accrual.ts";
export { falseAlarmCurve } from "./detection/expected-false-alarms.ts";
export type * from "./documents.ts";
export { documentKey } from "./documents.ts";
export type * from "./effect.ts";
export type * from "./event.ts";
export { type InDoubtPlace, listInDoubt } from "./in-doubt/in-doubt.ts";
export { movesAway } from "./incident/host-faults.ts";
export { policyCauses } from "./incident/localization.ts";
export type * from "./incident/types.ts";
export { buildProfile, type SeasonalProfile } from "./monitoring/baseline.ts";
export { readNode, readService } from "./monitoring/evaluate-monitoring.ts";
export { type Firing, type History, replayRule } from "./monitoring/replay.ts";
export type * from "./monitoring/rules.ts";
export { checkNumbers, defaultRules, findRule } from "./monitoring/rules.ts";
export { digestText } from "./plan-hash.ts";
export { describeBudget } from "./policy/budget.ts";
export type * from "./policy/types.ts";
export { defaultCauseRule, defaultPolicy } from "./policy/types.ts";
export type * from "./recovery/command.ts";
export { controlPlaneNode } from "./recovery/fencing.ts";
export { explainCandidates, type PlanRequest, planAction } from "./recovery/preflight.ts";
export type * from "./recovery/types.ts";
export {
  type FailoverMode,
  planRedisFailover,
  type RedisFailoverPlan,
  type RedisFailoverRequest,
} from "./redis/failover-plan.ts";
export { type Migration, openMigration, pendingSlots } from "./redis/migration.ts";
export { findOpenSlots, type OpenSlot } from "./redis/open-slots.ts";
export { type MigrationPlan, type MigrationRequest, planMigration } from "./redis/plan.ts";
export * from "./redis/servers.ts";
export * from "./redis/shards.ts";
export { compress as compressSlots, expand as expandSlots } from "./redis/slots.ts";
export type * from "./redis/status.ts";
export type * from "./redis/types.ts";
export type * from "./redis/verbs.ts";
export { formatLsn, parseLsn } from "./replication/lsn.ts";
export type * from "./replication/status.ts";
export { fitsHistory, mostTimelines, type TimelineStart } from "./replication/timelines.ts";
export type { RingChange } from "./ring/change-nodes.ts";
export {
  changesBetween,
  defaultVnodes,
  KEY_SPACE_DEFAULTS,
  KEY_SPACE_LIMITS,
  type KeySpacePlan,
  type KeySpaceRecord,
  type KeySpaceVersion,
  planKeySpace,
} from "./ring/key-space.ts";
export type { KeySpaceRequest } from "./ring/requests.ts";
export type * from "./ring/types.ts";
export type { OwnershipChange, WhatIf } from "./ring/what-if.ts";
export { faultyPeriods } from "./service/faulty-periods.ts";
export type * from "./service/types.ts";
export type * from "./state.ts";
export { createState } from "./state.ts";
export type * from "./time.ts";
export { judgeClusterHealth, judgeNodeHealth } from "./topology/health.ts";
export type * from "./topology/health-state.ts";
export { isIncidentMuted } from "./topology/maintenance.ts";
export { seeAgent } from "./topology/sight.ts";
export type * from "./topology/types.ts";
