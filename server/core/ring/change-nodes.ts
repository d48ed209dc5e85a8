import type { RingNode } from "./types.ts";

export type RingChange =
  | { readonly kind: "add"; readonly node: RingNode }
  /** Weight 0: it stays listed and owns nothing. */
  | { readonly kind: "drain"; readonly id: string }
  | { readonly kind: "weight"; readonly id: string; readonly weight: number }
  | { readonly kind: "remove"; readonly id: string };

export type ChangeRefusal =
  | { readonly code: "node-exists"; readonly node: string }
  | { readonly code: "node-unknown"; readonly node: string }
  | { readonly code: "nobody-left" };

export type ChangedNodes =
  | { readonly nodes: readonly RingNode[]; readonly refusal: null }
  | { readonly nodes: null; readonly refusal: ChangeRefusal };

/** The nodes after the changes, made one after another. */
export function changeNodes(nodes: readonly RingNode[], changes: readonly RingChange[]): ChangedNodes {
  const after = new Map(nodes.map((node) => [node.id, node]));
  for (const change of changes) {
    const id = change.kind === "add" ? change.node.id : change.id;
    const present = after.get(id);
    if (change.kind === "add") {
      if (present !== undefined) return { nodes: null, refusal: { code: "node-exists", node: id } };
      after.set(id, change.node);
    } else if (present === undefined) {
      return { nodes: null, refusal: { code: "node-unknown", node: id } };
    } else if (change.kind === "remove") {
      after.delete(id);
    } else {
      after.set(id, { ...present, weight: change.kind === "drain" ? 0 : change.weight });
    }
  }
  if (![...after.values()].some((node) => node.weight > 0)) return { nodes: null, refusal: { code: "nobody-left" } };
  return { nodes: [...after.values()], refusal: null };
}
