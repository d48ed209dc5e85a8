import type { Context } from "./context.ts";
import type { Evidence, Finding } from "./evidence.ts";
import { timesItsNormal } from "./resource-evidence.ts";

type GapFinding = Finding & { readonly evidence: { readonly kind: "network-gap" } };

/**
 * Calls to a process that gets no processor time wait in front of it: its own spans begin only when it runs, so that the wait shows as a gap in
 * its caller's calls and as lateness of its caller. Where all the calls that a node newly loses time on lead to one callee, and that callee's
 * processor use stands out and the node's does not, the gap is the callee's queue, and the node's lateness is explained by it.
 */
export function blameStarvedCallees({ window, index }: Context, findings: readonly Finding[]): Finding[] {
  const starving = new Map<number, number>();
  for (const { node, family, magnitude, evidence } of findings)
    if (family === "cpu" && usesFarMore(evidence)) starving.set(node, magnitude);
  if (starving.size === 0) return [...findings];
  const moved = new Map<number, number>();
  for (const finding of findings) {
    if (!isGap(finding)) continue;
    const [peer, ...others] = finding.evidence.peers;
    const callee = peer === undefined || others.length > 0 ? undefined : index.get(peer);
    if (callee === undefined || (starving.get(callee) ?? 0) <= (starving.get(finding.node) ?? 0)) continue;
    moved.set(finding.node, callee);
  }
  return findings.flatMap((finding): Finding[] => {
    const callee = moved.get(finding.node);
    if (callee === undefined) return [finding];
    if (finding.family === "latency" || finding.family === "symptom-latency") return [];
    if (!isGap(finding)) return [finding];
    const peers = [window.nodes[finding.node]!];
    return [{ ...finding, node: callee, evidence: { ...finding.evidence, peers } }];
  });
}

/** By its own measure: on a small machine every process is busy, and one that is not more than twice as busy as the others may still be full. */
function usesFarMore(evidence: Evidence): boolean {
  return evidence.kind === "resource-excess" && evidence.after >= timesItsNormal * evidence.before;
}

function isGap(finding: Finding): finding is GapFinding {
  return finding.evidence.kind === "network-gap";
}
