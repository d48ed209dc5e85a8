import { listDocuments } from "../documents.ts";
import { type Draft, getAction, getCluster, getNode } from "../draft.ts";
import { strainedNow } from "../monitoring/evaluate-monitoring.ts";
import { planAction } from "../recovery/preflight.ts";
import type { ClusterRecord } from "../recovery/types.ts";
import { openMigration } from "../redis/migration.ts";
import type { RedisDocument } from "../redis/servers.ts";
import { answeringShards, readShards } from "../redis/shards.ts";
import { countSlots } from "../redis/slots.ts";
import { holdsAutomation } from "../topology/maintenance.ts";
import { type HostFault, isHostFault } from "./host-faults.ts";
import type { SuggestedRecovery } from "./types.ts";

/** A load that follows what was moved is not cured by moving it once more: within this time only a person does. */
const settleMs = 30 * 60_000;

/** Who would take over is not well either. A person has to know it, whatever else there is to say. */
export const targetStrained = "target-strained";

/** What a host carries that others can take over. */
export interface Hosted extends Pick<SuggestedRecovery, "action" | "service"> {
  /** The member that is left. */
  readonly leaves: string;
  /** Who takes over; null: the others together. */
  readonly target: string | null;
  /** Why it is not moved by itself; null when it may be. */
  readonly held: string | null;
}

/** A host, with what is wrong with it. */
export interface IllHost {
  readonly node: string;
  readonly cause: HostFault;
}

/** `offered`: what is offered already, which stays while it fits. Null: nothing there, or nowhere to go. */
export function findHosted(draft: Draft, ill: IllHost, offered: SuggestedRecovery | null): Hosted | null {
  for (const id of draft.state.durable.clusters.keys()) {
    const cluster = getCluster(draft, id);
    if (cluster?.primary === ill.node) return offerSwitchover(draft, cluster, ill, offered?.target ?? null);
  }
  for (const record of listDocuments(draft, "redis")) {
    const drain = record.mode === "cluster" ? offerDrain(draft, record, ill) : null;
    if (drain !== null) return drain;
  }
  return null;
}

/**
 * To the best candidate whose own host is well; where there is none, a person may choose one that suffers from something less. Only one that is
 * named already stays while a check forbids it for a moment.
 */
function offerSwitchover(
  draft: Draft,
  cluster: ClusterRecord,
  { node, cause }: IllHost,
  before: string | null,
): Hosted | null {
  const open = cluster.openActionId === null ? null : getAction(draft, cluster.openActionId);
  if (open !== null && open.kind !== "reconfigure") return null;
  const plan = (target: string | null) =>
    planAction(draft.state, { kind: "switchover", cluster: cluster.id, target }, draft.now);
  const { candidates } = plan(null);
  const able = candidates
    .filter((each) => each.eligible && isBetter(draft, each.node, cause))
    .sort((a, b) => Number(b.chosen) - Number(a.chosen));
  const well = able.filter((each) => strainsOf(draft, each.node).length === 0);
  const pool = well.length > 0 ? well : able;
  const kept = pool.find((each) => each.node === before)?.node;
  const target = kept ?? pool.find((each) => plan(each.node).runnable)?.node;
  if (target === undefined) return null;
  const members = [node, target];
  const moved = cluster.epochs.findLast(({ cause }) => cause === "failover" || cause === "switchover");
  const held =
    well.length === 0
      ? targetStrained
      : isHeld(draft, cluster, members)
        ? "maintenance"
        : cluster.automation.state !== "on"
          ? "automation-held"
          : draft.now.wallMs - (moved?.at ?? 0) < settleMs
            ? "moved-lately"
            : plan(target).runnable
              ? null
              : "check-blocks";
  return { action: "switch-over", service: cluster.id, leaves: node, target, held };
}

/** A master with slots here, while all others that would get them are on better hosts. Whether it can go is the plan's word when it begins. */
function offerDrain(draft: Draft, record: RedisDocument, { node, cause }: IllHost): Hosted | null {
  const shards = answeringShards(readShards(draft.state, record, draft.now));
  const here = shards.find(({ master, status }) => master.member.node === node && countSlots(status.slots) > 0);
  const others = shards.filter((shard) => shard !== here);
  const takers = others.map(({ master }) => master.member.node);
  const canTake = takers.every((taker) => taker !== node && isBetter(draft, taker, cause));
  if (here === undefined || others.length === 0 || !canTake || openMigration(draft, record.id) !== null) return null;
  const movedAt = record.lastMigration?.closedAt ?? 0;
  const held = takers.some((taker) => strainsOf(draft, taker).length > 0)
    ? targetStrained
    : isHeld(draft, record, [node])
      ? "maintenance"
      : record.automation.state !== "on"
        ? "automation-held"
        : draft.now.wallMs - movedAt < settleMs
          ? "moved-lately"
          : null;
  return { action: "drain-shard", service: record.id, leaves: here.master.member.id, target: null, held };
}

function strainsOf(draft: Draft, node: string): readonly HostFault[] {
  return strainedNow(draft, node).filter(isHostFault);
}

/** A host with the same fault gains nothing, and one whose disk is about to fill would be the next to stop. */
function isBetter(draft: Draft, node: string, cause: HostFault): boolean {
  return !strainsOf(draft, node).some((each) => each === cause || each === "disk-full" || each === "disk-filling");
}

function isHeld(
  draft: Draft,
  { maintenance }: Pick<ClusterRecord | RedisDocument, "maintenance">,
  nodes: readonly string[],
): boolean {
  const all = [maintenance, ...nodes.map((node) => getNode(draft, node)?.maintenance)];
  return all.some((each) => holdsAutomation(each, draft.now.wallMs));
}
