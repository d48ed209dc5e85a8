import type { LocalizerConfig } from "./config.ts";
import type { Context } from "./context.ts";
import type { Finding } from "./evidence.ts";

type GapFinding = Finding & { readonly evidence: { readonly kind: "network-gap" } };

/**
 * Calls to a process that gets no processor time wait in front of it: its own spans begin only when it runs, so that the wait shows as a gap in
 * its caller's calls and as lateness of its caller. Where all the calls that a node newly loses time on lead to one callee, and that callee's
 * processor use stands out and the node's does not, the gap is the callee's queue, and the node's lateness is explained by it.
 */
export function blameStarvedCallees(
  { window, index }: Context,
  findings: readonly Finding[],
  { families }: LocalizerConfig,
): Finding[] {
  const starving = new Map<number, number>();
  for (const { node, family, magnitude } of findings)
    if (family === "cpu" && magnitude >= families.cpu.floor) starving.set(node, magnitude);
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

function isGap(finding: Finding): finding is GapFinding {
  return finding.evidence.kind === "network-gap";
}
