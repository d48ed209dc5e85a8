import { hashPlan } from "../plan-hash.ts";
import { describeBudget } from "../policy/budget.ts";
import { formatLsn } from "../replication/lsn.ts";
import type { State } from "../state.ts";
import type { Now } from "../time.ts";
import { isWitness, seeAgent } from "../topology/sight.ts";
import { type AddCheck, addAsyncChecks, foreseeAsync } from "./async-checks.ts";
import { awaitsPerson } from "./fencing.ts";
import { currentConfiguration, isPrimaryRunning, isStreaming } from "./members.ts";
import { holdsQuorum } from "./quorum.ts";
import type { CandidateVerdict, ClusterRecord, Plan, PlanCheck } from "./types.ts";

/** A transaction older than this would be ended by a switchover: worth a warning. */
const longTransactionMs = 60_000;

export interface PlanRequest {
  readonly kind: "failover" | "switchover" | "rejoin";
  readonly cluster: string;
  readonly target: string | null;
}

/** Every check with its value and limit, what would change, and a hash of the state that the plan relies on. */
export function planAction(state: State, request: PlanRequest, now: Now): Plan {
  const cluster = state.durable.clusters.get(request.cluster);
  if (cluster === undefined) throw new Error(`invariant: cluster ${request.cluster} must exist`);
  const candidates = explainCandidates(state, cluster, now, request.target);
  const target = request.target ?? candidates.find((candidate) => candidate.chosen)?.node ?? null;
  const checks = collectChecks(state, cluster, request.kind, target, now);
  const configuration = currentConfiguration(cluster);
  // In asynchronous mode its members renew a lease; nobody waits for them.
  const sync = configuration !== null && configuration.k > 0 ? configuration.members : [];
  const primaryStatus = cluster.primary === null ? null : (state.live.nodes.get(cluster.primary)?.postgres ?? null);
  const after =
    target === null
      ? null
      : { primary: target, sync: sync.filter((node) => node !== target), epoch: cluster.highestEpoch + 1 };
  const planHash = hashPlan({
    kind: request.kind,
    target,
    epoch: cluster.epoch,
    primary: cluster.primary,
    highest: cluster.highestEpoch,
    config: cluster.configVersion,
    standing: Object.values(cluster.members).map((m) => `${m.id}=${m.standing}`),
    // Warnings come and go (a long transaction, a lag); what must not change under the reader is what would be done, and what forbids it.
    blocks: checks.filter((check) => check.status === "block").map((check) => check.code),
  });
  return {
    kind: request.kind,
    cluster: cluster.id,
    target,
    planHash,
    checks,
    runnable: target !== null && checks.every((check) => check.status !== "block"),
    before: { primary: cluster.primary, sync, epoch: cluster.epoch },
    after,
    candidates,
    sessions: primaryStatus?.connections ?? null,
    expectedUnavailableMs: request.kind === "switchover" ? 300 : request.kind === "failover" ? 400 : null,
    ...foreseeAsync(state, cluster, request.kind, listSealable(state, cluster, now), now),
    wayBack: {
      code: request.kind === "failover" ? "rejoin-then-switch-back" : "switch-back",
      data: { node: cluster.primary },
    },
  };
}

/** Every member with whether it could take over now, and why (not). */
export function explainCandidates(
  state: State,
  cluster: ClusterRecord,
  now: Now,
  wanted: string | null,
): CandidateVerdict[] {
  const judged = Object.values(cluster.members).map((member) => {
    const status = state.live.nodes.get(member.id)?.postgres ?? null;
    const data = { lsn: status?.lsn == null ? null : formatLsn(status.lsn), standing: member.standing };
    const code =
      member.id === cluster.primary
        ? "is-primary"
        : member.standing !== "member"
          ? `standing-${member.standing}`
          : !isWitness(state, member.id, now)
            ? "agent-not-heard"
            : status?.state !== "running"
              ? "postgres-not-running"
              : member.priority <= 0
                ? "priority-zero"
                : null;
    return { member, status, code, data };
  });
  const eligible = judged.filter((item) => item.code === null);
  const order = [...eligible].sort(
    (a, b) =>
      (b.status?.lsn ?? -1) - (a.status?.lsn ?? -1) ||
      b.member.priority - a.member.priority ||
      a.member.id.localeCompare(b.member.id, "en"),
  );
  const chosen =
    eligible.find((item) => item.member.id === wanted)?.member.id ??
    (wanted === null ? order[0]?.member.id : undefined);
  return judged.map(({ member, code, data }) => ({
    node: member.id,
    chosen: member.id === chosen,
    eligible: code === null,
    reason: { code: code ?? (member.id === order[0]?.member.id ? "highest-lsn" : "eligible"), data },
  }));
}

function collectChecks(
  state: State,
  cluster: ClusterRecord,
  kind: PlanRequest["kind"],
  target: string | null,
  now: Now,
): PlanCheck[] {
  const checks: PlanCheck[] = [];
  const add: AddCheck = (code, status, value, limit, data = {}) => checks.push({ code, status, value, limit, data });
  const { self } = state.live;
  add(
    "control-plane",
    self.frozen === null ? "pass" : "block",
    self.frozen?.reason ?? `${Math.round(self.loopLagMs)} ms`,
    "≤ 250 ms",
  );
  const open = cluster.openActionId === null ? undefined : state.durable.actions.get(cluster.openActionId);
  const joins = kind === "failover" && awaitsPerson(cluster, open) !== null;
  const blocking = open !== undefined && open.kind !== "reconfigure" && !joins;
  add("no-open-action", blocking ? "block" : "pass", open === undefined ? "0" : open.id, "0");
  const primaryFine = isPrimaryRunning(state, cluster) && seeAgent(state, cluster.primary ?? "", now) === "alive";
  if (kind === "switchover")
    add("primary-healthy", primaryFine ? "pass" : "block", cluster.primary ?? "–", null, { node: cluster.primary });
  else add("primary-down", primaryFine ? "warn" : "pass", cluster.primary ?? "–", null, { node: cluster.primary });
  addTargetChecks(state, cluster, kind, target, now, add);
  const sealable = listSealable(state, cluster, now);
  if (cluster.durability.mode === "async") addAsyncChecks(state, cluster, kind, sealable, now, add);
  else addQuorumChecks(cluster, cluster.durability.k, sealable, add);
  const status = cluster.primary === null ? null : (state.live.nodes.get(cluster.primary)?.postgres ?? null);
  const prepared = status?.preparedTransactions ?? null;
  if (prepared !== null)
    add("prepared-transactions", prepared === 0 ? "pass" : "warn", `${prepared}`, "0", { count: prepared });
  const longest = status?.longestTransactionMs ?? null;
  if (longest !== null)
    add(
      "longest-transaction",
      longest > longTransactionMs ? "warn" : "pass",
      `${Math.round(longest / 1000)} s`,
      "≤ 60 s",
      { longestMs: longest },
    );
  const budget = describeBudget(cluster, state.durable.policy, now.wallMs);
  if (kind === "failover")
    add("budget", "pass", `${budget.of - budget.used}`, null, { used: budget.used, of: budget.of });
  return checks;
}

function listSealable(state: State, cluster: ClusterRecord, now: Now): string[] {
  return Object.values(cluster.members)
    .filter(
      (member) => member.id !== cluster.primary && member.standing === "member" && isWitness(state, member.id, now),
    )
    .filter((member) => state.live.nodes.get(member.id)?.postgres?.state === "running")
    .map((member) => member.id);
}

function addQuorumChecks(cluster: ClusterRecord, k: number, sealable: readonly string[], add: AddCheck): void {
  const needed = Math.max(0, ...cluster.configurations.map((item) => item.members.length - item.k + 1));
  const quorum = holdsQuorum(new Set(sealable), cluster.configurations);
  add("quorum", quorum ? "pass" : "block", `${sealable.length}`, `≥ ${needed}`, { sealable: sealable.length, needed });
  const after = Math.max(0, sealable.length - 1);
  add("followers-after", after >= k ? "pass" : "block", `${after}`, `≥ ${k}`);
}

function addTargetChecks(
  state: State,
  cluster: ClusterRecord,
  kind: PlanRequest["kind"],
  target: string | null,
  now: Now,
  add: AddCheck,
): void {
  if (target === null) return add("target", "block", "–", null);
  const candidate = explainCandidates(state, cluster, now, target).find((item) => item.node === target);
  add("target", candidate?.eligible === true ? "pass" : "block", target, null, {
    node: target,
    reason: candidate?.reason.code ?? "unknown-node",
  });
  if (kind !== "switchover") return;
  const streaming = isStreaming(state, cluster, target);
  add("target-streams", streaming ? "pass" : "block", streaming ? "streaming" : "–", null, { node: target });
  const row = state.live.nodes.get(cluster.primary ?? "")?.postgres?.replication.find((item) => item.node === target);
  const primaryLsn = state.live.nodes.get(cluster.primary ?? "")?.postgres?.lsn ?? null;
  const lag = primaryLsn !== null && row?.replayLsn != null ? Math.max(0, primaryLsn - row.replayLsn) : null;
  const limit = state.durable.policy.switchoverMaxLagBytes;
  add("replay-lag", lag !== null && lag <= limit ? "pass" : "block", lag === null ? "–" : `${lag} B`, `≤ ${limit} B`, {
    bytes: lag,
  });
}
