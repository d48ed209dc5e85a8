import type { Draft } from "../draft.ts";
import type { State } from "../state.ts";
import type { Now } from "../time.ts";
import { isWitness } from "../topology/sight.ts";
import { provenBy } from "./fencing.ts";
import type { Action, ClusterRecord, PossibleLoss, SealedMember, WalEnd } from "./types.ts";

/**
 * Asynchronous mode: what a promotion may cost, in bytes of WAL. Known is how far the old primary was heard to be ahead of the candidate;
 * what it wrote after that is reckoned by the rate at which it wrote before. Its own agent holds it to the cluster's limit while nobody
 * renews its lease, so where that is certain to work the reckoning ends at the limit.
 */

const longestMs = 3_600_000;

export function isOverLimit(loss: PossibleLoss, limitBytes: number | null): boolean {
  if (limitBytes === null) return false;
  return loss.atMostBytes === null || loss.atMostBytes > limitBytes;
}

/** Where the primary's WAL was last heard to end; undefined when nothing was heard of it since we started. */
export function lastWalEnd(state: State, cluster: ClusterRecord, now: Now): WalEnd | undefined {
  const wal = state.live.clusters.get(cluster.id)?.wal;
  if (wal === undefined || wal.node !== cluster.primary) return undefined;
  return { lsn: wal.lsn, agoMs: Math.max(0, now.monoMs - wal.atMs), bytesPerSecond: wal.bytesPerSecond };
}

/** Before anything is begun: by the standby that has come furthest (or the wanted one). */
export function foreseeLoss(
  state: State,
  cluster: ClusterRecord,
  candidates: readonly string[],
  now: Now,
): PossibleLoss {
  const end = lastWalEnd(state, cluster, now);
  const positions = candidates.map((node) => state.live.nodes.get(node)?.postgres?.lsn ?? null);
  const best = Math.max(-1, ...positions.filter((lsn) => lsn !== null));
  if (end === undefined || best < 0) return { knownBytes: null, atMostBytes: null };
  const knownBytes = Math.max(0, end.lsn - best);
  const alive = cluster.primary !== null && isWitness(state, cluster.primary, now);
  const grownBytes = alive ? 0 : growth(end, 0);
  return withLimit(cluster, knownBytes, grownBytes, isHeldToLimit(cluster));
}

/** By what the standbys answered when they were sealed, and how the old primary was fenced. */
export function reckonLoss(
  draft: Draft,
  action: Action,
  cluster: ClusterRecord,
  sealed: readonly SealedMember[],
): PossibleLoss {
  const proof = provenBy(action);
  if (action.from === null || proof === "shutdown") return { knownBytes: 0, atMostBytes: 0 };
  const end = endOf(action);
  const best = Math.max(-1, ...sealed.map((member) => member.lsn));
  if (end === undefined || best < 0) return { knownBytes: null, atMostBytes: null };
  const knownBytes = Math.max(0, end.lsn - best);
  const held = (proof === "agent" || proof === "lease") && isHeldToLimit(cluster);
  return withLimit(cluster, knownBytes, growth(end, sinceIntentMs(draft, action)), held);
}

/** The agent that stopped its server tells where it was; otherwise what was heard before counts. */
function endOf(action: Action): WalEnd | undefined {
  const end = action.primaryEnd ?? undefined;
  const fence = action.steps.find(
    (step) => step.kind === "fence" && step.status === "done" && step.node === action.from,
  );
  const told = fence?.data.lsn;
  if (typeof told !== "number" || told < (end?.lsn ?? 0)) return end;
  // It was asked just before the stop: nothing is left to be reckoned.
  return { lsn: told, agoMs: 0, bytesPerSecond: 0 };
}

/** A person reads the figure of a plan, thinks, and types: what may have been written meanwhile was accepted with it. */
const thinkingMs = 120_000;

/** What an action may lose when a person has accepted this figure (null: the unknown): never less than the cluster's own limit. */
export function acceptLoss(
  state: State,
  cluster: ClusterRecord,
  shown: number | null | undefined,
  now: Now,
): number | null | undefined {
  if (shown == null || cluster.durability.mode !== "async") return shown;
  const end = lastWalEnd(state, cluster, now);
  return Math.max(cluster.durability.maxLagBytes, shown + (end === undefined ? 0 : growth(end, thinkingMs)));
}

function growth(end: WalEnd, sinceIntent: number): number {
  return Math.ceil((end.bytesPerSecond * (end.agoMs + sinceIntent)) / 1_000);
}

/** By the monotonic clock; after a restart of ours the wall clock has to do. */
function sinceIntentMs(draft: Draft, action: Action): number {
  const beganMs = draft.state.live.clusters.get(action.cluster)?.since.get(intentKey(action.id));
  const elapsedMs = beganMs === undefined ? draft.now.wallMs - action.startedAt : draft.now.monoMs - beganMs;
  return Math.min(longestMs, Math.max(0, elapsedMs));
}

function intentKey(actionId: string): string {
  return `${actionId}:intent`;
}

/** The loss of an action is reckoned from here on. */
export function noteIntent(draft: Draft, action: Action): void {
  draft.state.live.clusters.get(action.cluster)?.since.set(intentKey(action.id), draft.now.monoMs);
}

/** Every configuration that may be in force has the old primary's own agent stop it at the limit. */
function isHeldToLimit(cluster: ClusterRecord): boolean {
  const inForce = cluster.configurations.filter((configuration) => configuration.epoch === cluster.epoch);
  return inForce.length > 0 && inForce.every((configuration) => configuration.lease !== undefined);
}

function withLimit(cluster: ClusterRecord, knownBytes: number, grownBytes: number, held: boolean): PossibleLoss {
  const { durability } = cluster;
  const limit = durability.mode === "async" && held ? durability.maxLagBytes : Number.POSITIVE_INFINITY;
  return { knownBytes, atMostBytes: Math.max(knownBytes, Math.min(knownBytes + grownBytes, limit)) };
}
