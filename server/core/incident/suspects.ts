import type { State } from "../state.ts";
import type { Evidence, Suspect, Verdict } from "./types.ts";

/** What the cause is by the kind of verdict: the taxonomy comes first, statistics after it. */
const causes: Readonly<Record<string, string>> = {
  dead: "process-gone",
  frozen: "processes-stopped",
  hung: "database-hung",
  partitioned: "network-cut",
  lost: "host-or-network-gone",
};

/**
 * Ranked suspects of an infrastructure fault: the node itself by the verdict's confidence, and the network around it, for which other
 * nodes that still answer speak against. "Why not" is part of the answer.
 */
export function rankSuspects(state: State, verdict: Verdict): Suspect[] {
  const mode = verdict.kind.split("-")[0] ?? "";
  const own: Suspect = {
    subject: verdict.subject,
    class: verdict.class,
    confidence: verdict.confidence,
    cause: verdict.evidence.some((item) => item.code === "postgres-exited")
      ? "postgres-exited"
      : (causes[mode] ?? verdict.kind),
    evidence: verdict.evidence,
  };
  if (mode === "partitioned" || verdict.kind === "unreachable-agent") return [own];
  const others = [...state.live.nodes.values()].filter((node) => node.id !== verdict.subject.id);
  const answering = others.filter((node) => node.connected);
  const against: Evidence = {
    code: "others-answered",
    observer: "control-plane",
    stance: "against",
    data: { answering: answering.length, of: others.length },
  };
  const share = others.length === 0 ? 0.5 : 1 - answering.length / others.length;
  const network: Suspect = {
    subject: { kind: "link", id: verdict.subject.id },
    class: "network",
    confidence: Math.min(1 - verdict.confidence, 0.02 + 0.5 * share),
    cause: "network-around-node",
    evidence: [against],
  };
  return [own, network].sort((a, b) => b.confidence - a.confidence);
}
