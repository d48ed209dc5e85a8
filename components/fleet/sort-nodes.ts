import type { NodeView } from "../../server/protocol/index.ts";
import { naturalKey } from "../format/natural-order.ts";
import { stateUrgency } from "../ui/state-urgency.ts";

/** Columns of the table that sort, in their order. */
export const sortKeys = [
  "state",
  "id",
  "role",
  "cluster",
  "zone",
  "cpu",
  "memory",
  "disk",
  "suspicion",
  "seen",
] as const;
export type SortKey = (typeof sortKeys)[number];

const urgency = new Map(stateUrgency.map((state, index) => [state, index]));
const share = (used: number, total: number) => (total > 0 ? used / total : -1);

/** What a node is sorted by; text is compared as text. What is not known comes last in either order. */
const values: Record<SortKey, (node: NodeView) => number | string | null> = {
  state: (node) => urgency.get(node.state) ?? 0,
  id: (node) => naturalKey(node.id),
  role: (node) => node.role,
  cluster: (node) => (node.cluster === null ? null : naturalKey(node.cluster)),
  zone: (node) => naturalKey(node.zone),
  cpu: (node) => node.host?.cpu ?? null,
  memory: (node) => (node.host === null ? null : share(node.host.memoryUsedBytes, node.host.memoryTotalBytes)),
  disk: (node) => (node.host === null ? null : share(node.host.diskUsedBytes, node.host.diskTotalBytes)),
  suspicion: (node) => node.suspicion / node.suspicionThreshold,
  seen: (node) => node.lastSeenAt,
};

/** Ids in the order of one column, then by name. Each value is read once: 10,000 nodes sort within a frame or two. */
export function sortNodes(nodes: readonly NodeView[], by: SortKey, order: "asc" | "desc"): readonly string[] {
  const read = values[by];
  const sign = order === "asc" ? 1 : -1;
  const rows = nodes.map((node) => ({ id: node.id, value: read(node), name: naturalKey(node.id) }));
  rows.sort((a, b) => {
    if (a.value !== b.value) {
      if (a.value === null) return 1;
      if (b.value === null) return -1;
      return a.value < b.value ? -sign : sign;
    }
    return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
  });
  return rows.map((row) => row.id);
}
