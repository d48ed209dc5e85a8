import { commandStep, type Draft, demand } from "../draft.ts";
import { endpointOf } from "./members.ts";
import type { ClusterRecord } from "./types.ts";

/** Tells each of these nodes whom to follow under the new grant. */
export function sendFollows(
  draft: Draft,
  actionId: string,
  cluster: ClusterRecord,
  followers: readonly string[],
  grant: { readonly epoch: number; readonly intentId: string; readonly configVersion: number },
): void {
  const primary = endpointOf(cluster, demand(cluster.primary, "primary"));
  for (const node of followers) {
    const verb = { verb: "postgres.follow", args: { primary, configurations: cluster.configurations } } as const;
    commandStep(draft, actionId, { ...grant, kind: "follow", node, verb });
  }
}
