import type {
  AgentPromise,
  AnyVerb,
  CommandOutcome,
  Endpoint,
  Grant,
  SyncConfiguration,
  Verb,
} from "../../server/core/index.ts";

/**
 * The agent's fence: which commands it may still obey. Pure: the agent persists the new record before it answers or acts, and the
 * simulator runs this same code. Rules: docs/failover.md, "Records" (a promise is never lowered, and an epoch belongs to one intent).
 */

/** What this member was last granted. It decides how PostgreSQL may be started when nobody can be asked. */
export type Standing =
  | { readonly kind: "none" }
  | { readonly kind: "primary"; readonly configuration: SyncConfiguration }
  | { readonly kind: "demoted"; readonly configuration: SyncConfiguration | null }
  | {
      readonly kind: "standby";
      readonly primary: Endpoint;
      /** Its history was seen to fit the primary's. Before that it follows nobody when it is started: its receiver would claim to hold what it does not. */
      readonly fits?: boolean;
    }
  | { readonly kind: "sealed" }
  | { readonly kind: "fenced" }
  | { readonly kind: "rejoining" };

export interface FenceRecord {
  readonly promise: AgentPromise | null;
  /** Configurations told, by version. */
  readonly configurations: readonly SyncConfiguration[];
  /** Epoch of a promote that was issued and not confirmed since; such a member may have made history nobody granted. */
  readonly promoteIssuedEpoch: number | null;
  readonly standing: Standing;
}

export const emptyFence: FenceRecord = {
  promise: null,
  configurations: [],
  promoteIssuedEpoch: null,
  standing: { kind: "none" },
};

export interface FencedCommand {
  readonly grant: Grant;
  readonly verb: AnyVerb;
}

interface ClusterCommand {
  readonly grant: Grant;
  readonly verb: Verb;
}

export type RefusalCode = "stale-epoch" | "other-intent" | "stale-step" | "stale-configuration" | "not-granted";

export type FenceVerdict =
  | { readonly ok: true; readonly record: FenceRecord }
  | { readonly ok: false; readonly code: RefusalCode; readonly detail: string };

/** More than this many remembered configurations are folded: the newest stay. */
const maxConfigurations = 32;

/** Judges a command against the record. When it is accepted, `record` must be durable before anything is done or answered. */
export function judgeCommand(record: FenceRecord, command: FencedCommand): FenceVerdict {
  const { grant, verb } = command;
  if (verb.verb === "change.step" || verb.verb === "change.sql") return judgeChange(record, grant, verb.verb);
  const refusal = checkGrant(record, { grant, verb });
  if (refusal !== null) return { ok: false, ...refusal };
  return { ok: true, record: acceptCommand(record, { grant, verb }) };
}

/** A step of a change alters no standing: only the order of grants counts, and for a database that this member is its primary. */
function judgeChange(record: FenceRecord, grant: Grant, verb: string): FenceVerdict {
  const order = checkOrder(record, grant);
  if (order !== null) return { ok: false, ...order };
  if (verb === "change.sql" && !holdsPrimaryGrant(record, grant.epoch)) {
    const detail = `${verb} needs the primary's grant of epoch ${grant.epoch}; this member holds ${describeStanding(record)}`;
    return { ok: false, code: "not-granted", detail };
  }
  const configVersion = Math.max(grant.configVersion, record.promise?.configVersion ?? 0);
  return { ok: true, record: { ...record, promise: { ...grant, configVersion } } };
}

function checkGrant(
  record: FenceRecord,
  { grant, verb }: ClusterCommand,
): { readonly code: RefusalCode; readonly detail: string } | null {
  const order = checkOrder(record, grant);
  if (order !== null) return order;
  const held = record.promise;
  if (needsPrimaryGrant(verb) && !holdsPrimaryGrant(record, grant.epoch)) {
    return {
      code: "not-granted",
      detail: `${verb.verb} needs the primary's grant of epoch ${grant.epoch}; this member holds ${describeStanding(record)}`,
    };
  }
  if (held !== null && putsConfigurationInForce(verb) && grant.configVersion < held.configVersion) {
    return {
      code: "stale-configuration",
      detail: `configuration version ${grant.configVersion} is below the promised version ${held.configVersion}`,
    };
  }
  return null;
}

/** The part of the judgement that needs no verb: epoch, intent, step. Null when nothing higher, and nothing else, was promised. */
export function checkOrder(
  record: FenceRecord,
  grant: Grant,
): { readonly code: RefusalCode; readonly detail: string } | null {
  const held = record.promise;
  if (held === null || grant.epoch > held.epoch) return null;
  if (grant.epoch < held.epoch) {
    return { code: "stale-epoch", detail: `epoch ${grant.epoch} is below the promised epoch ${held.epoch}` };
  }
  if (grant.intentId !== held.intentId) {
    return {
      code: "other-intent",
      detail: `epoch ${held.epoch} was promised to intent ${held.intentId}, not to ${grant.intentId}`,
    };
  }
  if (grant.step < held.step) {
    return { code: "stale-step", detail: `step ${grant.step} is below step ${held.step} of the same intent` };
  }
  return null;
}

function acceptCommand(record: FenceRecord, { grant, verb }: ClusterCommand): FenceRecord {
  const promise: AgentPromise = {
    epoch: grant.epoch,
    intentId: grant.intentId,
    step: grant.step,
    configVersion: Math.max(grant.configVersion, record.promise?.configVersion ?? 0),
  };
  return {
    promise,
    configurations: learnConfigurations(record.configurations, verb),
    promoteIssuedEpoch: nextPromoteIssued(record, grant, verb),
    standing: nextStanding(record.standing, verb),
  };
}

/** The outcome of an accepted command changes the record too: a finished rejoin makes a standby of it. */
export function recordOutcome(record: FenceRecord, command: FencedCommand, outcome: CommandOutcome): FenceRecord {
  const { verb, grant } = command;
  if (record.promise === null || record.promise.epoch !== grant.epoch || outcome.status !== "done") return record;
  const { standing } = record;
  if (verb.verb === "postgres.follow" && standing.kind === "standby")
    return { ...record, standing: { ...standing, fits: true } };
  if (verb.verb !== "postgres.rejoin" || (standing.kind !== "rejoining" && standing.kind !== "none")) return record;
  const { primary } = verb.args;
  return { ...record, promoteIssuedEpoch: null, standing: { kind: "standby", primary, fits: true } };
}

/** Whom the server may stream from when it is started without a command; null: nobody. */
export function mayFollow({
  standing,
  promise,
}: FenceRecord): { readonly primary: Endpoint; readonly epoch: number } | null {
  if (standing.kind !== "standby" || standing.fits !== true || promise === null) return null;
  return { primary: standing.primary, epoch: promise.epoch };
}

/** Whether a command that was accepted earlier may still act: nothing higher has been promised since. */
export function stillHolds(record: FenceRecord, grant: Grant): boolean {
  const held = record.promise;
  return held !== null && held.epoch === grant.epoch && held.intentId === grant.intentId;
}

function holdsPrimaryGrant(record: FenceRecord, epoch: number): boolean {
  const { kind } = record.standing;
  return record.promise?.epoch === epoch && (kind === "primary" || kind === "demoted");
}

function needsPrimaryGrant(verb: Verb): boolean {
  switch (verb.verb) {
    case "postgres.configure":
    case "postgres.verify":
    case "postgres.resolve":
    case "postgres.demote":
    case "redis.verify":
      return true;
    case "postgres.restart":
      return verb.args.as === "primary";
    default:
      return false;
  }
}

function putsConfigurationInForce(verb: Verb): boolean {
  switch (verb.verb) {
    case "postgres.initialize":
    case "postgres.adopt":
    case "postgres.learn":
    case "postgres.promote":
    case "postgres.configure":
    case "postgres.regrant":
    case "redis.grant":
    case "redis.promote":
      return true;
    case "postgres.restart":
      return verb.args.as === "primary";
    default:
      return false;
  }
}

/** A list told replaces what its versions cover; a single configuration is added, never replacing: it may not be in force yet. */
function learnConfigurations(held: readonly SyncConfiguration[], verb: Verb): readonly SyncConfiguration[] {
  const told = configurationsOf(verb);
  if (told.length === 0) return held;
  const highest = Math.max(...told.map((configuration) => configuration.version));
  const kept = tellsWholeList(verb)
    ? held.filter((configuration) => configuration.version > highest)
    : held.filter((configuration) => !told.some((other) => sameVersion(other, configuration)));
  return [...kept, ...told].sort((a, b) => a.version - b.version || a.epoch - b.epoch).slice(-maxConfigurations);
}

function tellsWholeList(verb: Verb): boolean {
  return verb.verb === "postgres.learn" || verb.verb === "postgres.follow" || verb.verb === "postgres.rejoin";
}

function sameVersion(a: SyncConfiguration, b: SyncConfiguration): boolean {
  return a.version === b.version && a.epoch === b.epoch;
}

function configurationsOf(verb: Verb): readonly SyncConfiguration[] {
  switch (verb.verb) {
    case "postgres.initialize":
    case "postgres.adopt":
    case "postgres.promote":
    case "postgres.configure":
    case "postgres.regrant":
    case "redis.grant":
    case "redis.promote":
      return [verb.args.configuration];
    case "postgres.restart":
      return verb.args.as === "primary" ? [verb.args.configuration] : [];
    case "postgres.learn":
    case "postgres.follow":
    case "postgres.rejoin":
      return verb.args.configurations;
    default:
      return [];
  }
}

function nextPromoteIssued(record: FenceRecord, grant: Grant, verb: Verb): number | null {
  switch (verb.verb) {
    case "postgres.promote":
    case "redis.promote":
      return grant.epoch;
    // Whoever goes on working with this primary has granted it: the promote won.
    case "postgres.verify":
    case "postgres.configure":
    case "postgres.demote":
    case "postgres.restart":
    case "redis.verify":
    case "redis.grant":
      return record.promoteIssuedEpoch === grant.epoch ? null : record.promoteIssuedEpoch;
    default:
      return record.promoteIssuedEpoch;
  }
}

function nextStanding(standing: Standing, verb: Verb): Standing {
  switch (verb.verb) {
    case "postgres.initialize":
    case "postgres.adopt":
    case "postgres.promote":
    case "postgres.regrant":
    case "postgres.configure":
    case "redis.grant":
    case "redis.promote":
      return { kind: "primary", configuration: verb.args.configuration };
    case "postgres.restart":
      return verb.args.as === "primary" ? { kind: "primary", configuration: verb.args.configuration } : standing;
    case "postgres.seal":
    case "redis.seal":
      return { kind: "sealed" };
    case "postgres.fence":
    case "redis.fence":
      return { kind: "fenced" };
    case "postgres.demote":
      return {
        kind: "demoted",
        configuration: standing.kind === "primary" || standing.kind === "demoted" ? standing.configuration : null,
      };
    case "postgres.follow":
    case "redis.follow":
      return { kind: "standby", primary: verb.args.primary };
    case "postgres.rejoin":
      // A member that was never granted anything stays one until the rejoin is done: what lies there may be somebody's own.
      return standing.kind === "none" ? standing : { kind: "rejoining" };
    default:
      return standing;
  }
}

function describeStanding(record: FenceRecord): string {
  return `the standing "${record.standing.kind}" of epoch ${record.promise?.epoch ?? "none"}`;
}
