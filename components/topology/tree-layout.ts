import { hierarchy, tree } from "d3-hierarchy";
import { linkHorizontal } from "d3-shape";
import type { ClusterView, MemberView } from "../../server/protocol/index.ts";

export interface TreeBox {
  readonly member: MemberView | null;
  readonly x: number;
  readonly y: number;
}
export interface TreeEdge {
  readonly member: MemberView;
  readonly path: string;
  /** Where the label stands: the middle of the line. */
  readonly labelX: number;
  readonly labelY: number;
  /** `sync`: waits for this standby. `async`: follows. `broken`: does not stream. */
  readonly kind: "sync" | "async" | "broken";
}
export interface TreeLayout {
  readonly boxes: readonly TreeBox[];
  readonly edges: readonly TreeEdge[];
  readonly boxWidth: number;
  readonly boxHeight: number;
  readonly height: number;
}

const BOX_HEIGHT = 46;
const ROW_HEIGHT = 84;

interface Datum {
  readonly member: MemberView | null;
  readonly children: readonly Datum[];
}

/** The primary at the left, who follows it at the right, in a steady order so that nothing jumps but the roles. */
export function layoutTree(cluster: Pick<ClusterView, "members" | "primary">, width: number): TreeLayout {
  const primary = cluster.members.find((member) => member.node === cluster.primary) ?? null;
  const others = cluster.members.filter((member) => member !== primary).sort((a, b) => (a.node < b.node ? -1 : 1));
  const boxWidth = Math.round(Math.min(184, Math.max(112, width * 0.345)));
  const rows = Math.max(1, others.length);
  const height = Math.max(rows * ROW_HEIGHT, BOX_HEIGHT + 20);
  const root = hierarchy<Datum>(
    { member: primary, children: others.map((member) => ({ member, children: [] })) },
    (d) => [...d.children],
  );
  const placed = tree<Datum>()
    .size([height, Math.max(1, width - boxWidth)])
    .separation(() => 1)(root);
  const boxes = placed
    .descendants()
    .map((node) => ({ member: node.data.member, x: node.y, y: node.x - BOX_HEIGHT / 2 }));
  const link = linkHorizontal<unknown, [number, number]>();
  const edges: TreeEdge[] = [];
  for (const node of placed.children ?? []) {
    const { member } = node.data;
    if (member === null) continue;
    const from: [number, number] = [placed.y + boxWidth, placed.x];
    const to: [number, number] = [node.y, node.x];
    edges.push({
      member,
      path: link({ source: from, target: to }) ?? "",
      labelX: from[0] + (to[0] - from[0]) * 0.5,
      labelY: from[1] + (to[1] - from[1]) * 0.5,
      kind: edgeKind(member, primary),
    });
  }
  return { boxes, edges, boxWidth, boxHeight: BOX_HEIGHT, height };
}

function edgeKind(member: MemberView, primary: MemberView | null): TreeEdge["kind"] {
  if (primary === null || !member.streaming || member.standing !== "member") return "broken";
  return member.sync ? "sync" : "async";
}

/** 0 (caught up) to 1 (64 MB behind or more): the sequential scale of lag, logarithmic. Null while unknown. */
export function lagShare(lagBytes: number | null): number | null {
  if (lagBytes === null) return null;
  const floor = 64 * 1024;
  if (lagBytes <= floor) return 0;
  return Math.min(1, Math.log2(lagBytes / floor) / 10);
}
