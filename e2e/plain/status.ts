import type { ClusterView } from "../../server/protocol/index.ts";
import type { Installation } from "./installation.ts";

export interface Status {
  readonly primary: string | null;
  readonly epoch: number;
  readonly state: string;
  readonly automation: string;
  readonly epochs: ClusterView["epochs"];
  readonly streaming: readonly string[];
}

/** What `holdfast status --json` says of the cluster; null when it knows none. */
export function readStatus(installation: Installation): Status | null {
  const text = installation.holdfast("status", "--json");
  try {
    const { clusters } = JSON.parse(text) as { readonly clusters: readonly ClusterView[] };
    const [cluster] = clusters;
    if (cluster === undefined) return null;
    return {
      primary: cluster.primary,
      epoch: cluster.epoch,
      state: cluster.state,
      automation: cluster.automation.state,
      epochs: cluster.epochs,
      streaming: cluster.members
        .filter((member) => member.role === "standby" && member.state === "healthy")
        .map((member) => member.node),
    };
  } catch {
    return null;
  }
}
