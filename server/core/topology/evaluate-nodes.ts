import { listDocuments } from "../documents.ts";
import { type Draft, wakeAt } from "../draft.ts";
import { type JudgedSubject, syncSubjects } from "../incident/sync-subjects.ts";
import type { Evidence, Verdict, VerdictKind } from "../incident/types.ts";
import { evaluateMonitoring, raisedVerdicts } from "../monitoring/evaluate-monitoring.ts";
import { servicesExplained } from "../service/evaluate-services.ts";
import { endNodeMaintenance, isNodeMuted } from "./maintenance.ts";
import { agentLostSince, seeAgent } from "./sight.ts";
import type { NodeLive, NodeRecord } from "./types.ts";

/** What lasts for less than this is a restart, not a fault. */
const confirmMs = 6_000;
const returnGraceMs = 15_000;

/** Faults of nodes themselves, whatever runs on them, and what the rules of monitoring say of them and of services. */
export function evaluateNodes(draft: Draft): void {
  if (draft.state.live.self.frozen !== null) return;
  evaluateMonitoring(draft);
  const clusterOf = new Map(
    [...draft.state.durable.clusters.values()].flatMap((cluster) =>
      Object.keys(cluster.members).map((member) => [member, cluster.id] as const),
    ),
  );
  const redisOf = new Map(
    listDocuments(draft, "redis").flatMap(({ id, members }) => Object.values(members).map(({ node }) => [node, id])),
  );
  const judged: JudgedSubject[] = [];
  for (const node of draft.state.durable.nodes.values()) {
    endNodeMaintenance(draft, node.id);
    const cluster = clusterOf.get(node.id) ?? null;
    const muted = node.revokedAt !== null || isNodeMuted(draft.state, node.id, cluster, draft.now.wallMs);
    const verdicts = muted ? [] : judgeNode(draft, node, cluster !== null);
    // What is seen of a node with Redis joins the incident of that Redis, should there be one.
    judged.push({ kind: "node", id: node.id, cluster: cluster ?? redisOf.get(node.id) ?? null, verdicts });
  }
  const explained = servicesExplained(draft);
  for (const { name } of draft.state.live.services.values()) {
    // Whoever feels a fault that has an incident already is its symptom: one fault, one incident.
    if (explained.has(name)) continue;
    const verdicts = raisedVerdicts(draft, "service", name);
    if (verdicts.length > 0) judged.push({ kind: "service", id: name, cluster: null, verdicts });
  }
  syncSubjects(draft, judged);
}

function judgeNode(draft: Draft, node: NodeRecord, isMember: boolean): Verdict[] {
  const { now, state } = draft;
  const live = state.live.nodes.get(node.id);
  const agent = seeAgent(state, node.id, now);
  // Agents without a database come back more slowly than members do, and one that has just enrolled was never heard yet.
  const returning =
    now.monoMs - state.live.self.startedAtMs < returnGraceMs || now.wallMs - node.enrolledAt < returnGraceMs;
  // What was raised stays so while nothing is heard: silence clears no rule.
  const raised = raisedVerdicts(draft, "node", node.id);
  if (agent === "awaited" || (agent !== "alive" && returning)) return raised;
  if (agent !== "alive") {
    // A member of a cluster is judged with its cluster: one fault, one incident.
    if (isMember) return raised;
    const since = agentLostSince(state, node.id, now);
    wakeAt(draft, now.monoMs + Math.max(0, since + confirmMs - now.wallMs));
    if (now.wallMs - since < confirmMs) return raised;
    const code = agent === "closed" ? "agent-socket-closed" : "agent-silent";
    const evidence: Evidence = { code, observer: "control-plane", stance: "for", data: { node: node.id } };
    return [makeVerdict("lost-node", node.id, since, 0.6, evidence), ...raised];
  }
  const failing = live === undefined ? null : judgeChecks(draft, node.id, live);
  return failing === null ? raised : [...raised, failing];
}

function judgeChecks(draft: Draft, node: string, live: NodeLive): Verdict | null {
  const { wallMs } = draft.now;
  const failing = live.checks.find((check) => !check.ok && check.subject === node && check.failingForMs >= confirmMs);
  if (failing === undefined) return null;
  const data = { check: failing.name, detail: failing.detail, forMs: failing.failingForMs };
  return makeVerdict("check-failing", node, wallMs - failing.failingForMs, 0.9, {
    code: "check-failed",
    observer: node,
    stance: "for",
    data,
  });
}

function makeVerdict(
  kind: VerdictKind,
  node: string,
  sinceWallMs: number,
  confidence: number,
  evidence: Evidence,
): Verdict {
  return {
    kind,
    class: "unknown",
    subject: { kind: "node", id: node },
    cluster: null,
    confidence,
    evidence: [evidence],
    sinceWallMs,
  };
}
