import type { NodeRecord } from "../core/index.ts";

/** Labels of an enrolment token that bind the node: one name, or several with commas between them. */
const scopeLabels = ["cluster", "clusters"] as const;

/**
 * Which cluster a node may say that it is a member of: one that the labels of its enrolment name, and never a second one. A node's own
 * word makes it a member, so without this any agent could found clusters or ask for the data of any other.
 */
export class ClusterScope {
  /** What was admitted since the start; it bridges the time until the membership is committed. At most one entry for each node. */
  readonly #declared = new Map<string, string>();
  readonly #clustersOf: (node: string) => readonly string[];

  /** `clustersOf`: the clusters whose record has this node as a member. */
  constructor(clustersOf: (node: string) => readonly string[]) {
    this.#clustersOf = clustersOf;
  }

  /** Null when the node may declare this cluster, else why not. The first cluster that is admitted is the only one from then on. */
  refuse(node: NodeRecord, cluster: string): string | null {
    const scope = readScope(node.labels);
    if (scope !== null && !scope.includes(cluster)) {
      return `${node.id} was enrolled for ${scope.join(", ") || "no cluster"}, not for ${cluster}`;
    }
    const declared = this.#declared.get(node.id);
    if (declared === cluster) return null;
    const bound = [...new Set([...this.#clustersOf(node.id), ...(declared === undefined ? [] : [declared])])];
    if (bound.length > 0 && !bound.includes(cluster)) {
      return `${node.id} is a member of ${bound.join(", ")}, not of ${cluster}: enrol it under another name to move it`;
    }
    this.#declared.set(node.id, cluster);
    return null;
  }
}

/** Null without any of the labels. With both, a cluster must stand in both: what an agent adds by itself can only narrow. */
function readScope(labels: NodeRecord["labels"]): readonly string[] | null {
  const lists = scopeLabels.flatMap((name) => {
    const label = Object.hasOwn(labels, name) ? labels[name] : undefined;
    return label === undefined ? [] : [label.split(",").map((each) => each.trim())];
  });
  const [first, ...others] = lists;
  if (first === undefined) return null;
  return first.filter((cluster) => cluster !== "" && others.every((list) => list.includes(cluster)));
}
