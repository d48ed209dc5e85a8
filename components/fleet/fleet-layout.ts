import type { HealthState, NodeView } from "../../server/protocol/index.ts";
import { compareNatural } from "../format/natural-order.ts";
import { compareUrgency } from "../ui/state-urgency.ts";

export type GroupBy = "zone" | "cluster" | "role" | "state" | "none";
export const groupings: readonly GroupBy[] = ["zone", "cluster", "role", "state", "none"];

export interface FleetGroup {
  readonly key: string;
  readonly count: number;
  readonly worst: HealthState;
  /** Top of the heading, CSS pixels. */
  readonly top: number;
  readonly first: number;
}

/** Where every node's cell stands. Arrays by cell index: no object per node. */
export interface FleetLayout {
  readonly ids: readonly string[];
  readonly indexOf: ReadonlyMap<string, number>;
  readonly xs: Float32Array;
  readonly ys: Float32Array;
  readonly groups: readonly FleetGroup[];
  readonly cell: number;
  readonly width: number;
  readonly height: number;
  readonly columns: number;
}

export const HEADING_PX = 22;
const GROUP_GAP_PX = 10;

export function groupOf(node: NodeView, by: GroupBy): string {
  switch (by) {
    case "zone":
      return node.zone;
    case "cluster":
      return node.cluster ?? "";
    case "role":
      return node.role;
    case "state":
      return node.state;
    case "none":
      return "";
    default:
      return by satisfies never;
  }
}

/** Nodes in groups, groups by name (by urgency when grouped by state), nodes by id: nothing moves while states change. */
export function layoutFleet(nodes: readonly NodeView[], by: GroupBy, width: number, cell: number): FleetLayout {
  const byGroup = new Map<string, NodeView[]>();
  for (const node of nodes) {
    const key = groupOf(node, by);
    const list = byGroup.get(key);
    if (list === undefined) byGroup.set(key, [node]);
    else list.push(node);
  }
  const keys = [...byGroup.keys()].sort((a, b) =>
    by === "state" ? compareUrgency(a as HealthState, b as HealthState) : compareNatural(a, b),
  );
  const columns = Math.max(1, Math.floor(width / cell));
  const ids: string[] = [];
  const indexOf = new Map<string, number>();
  const xs = new Float32Array(nodes.length);
  const ys = new Float32Array(nodes.length);
  const groups: FleetGroup[] = [];
  let top = 0;
  for (const key of keys) {
    const members = (byGroup.get(key) ?? []).sort((a, b) => compareNatural(a.id, b.id));
    groups.push({ key, count: members.length, worst: worstOf(members), top, first: ids.length });
    const heading = by === "none" ? 0 : HEADING_PX;
    members.forEach((node, at) => {
      const index = ids.length;
      ids.push(node.id);
      indexOf.set(node.id, index);
      xs[index] = (at % columns) * cell;
      ys[index] = top + heading + Math.floor(at / columns) * cell;
    });
    top += heading + Math.ceil(members.length / columns) * cell + GROUP_GAP_PX;
  }
  return { ids, indexOf, xs, ys, groups, cell, width, height: Math.max(0, top - GROUP_GAP_PX), columns };
}

function worstOf(nodes: readonly NodeView[]): HealthState {
  let worst: HealthState = "healthy";
  for (const node of nodes) if (compareUrgency(node.state, worst) < 0) worst = node.state;
  return worst;
}

/** The cell under a point, or −1. */
export function cellAt(layout: FleetLayout, x: number, y: number): number {
  const { groups, cell, columns, ids, ys } = layout;
  const column = Math.floor(x / cell);
  if (x < 0 || column >= columns) return -1;
  for (let g = groups.length - 1; g >= 0; g -= 1) {
    const group = groups[g] as FleetGroup;
    if (y < group.top) continue;
    const firstY = ys[group.first] ?? 0;
    if (y < firstY) return -1;
    const at = Math.floor((y - firstY) / cell) * columns + column;
    return at < group.count && group.first + at < ids.length ? group.first + at : -1;
  }
  return -1;
}

/** The largest cell, at most 20 px, at which the fleet fits `maxHeight`; never below `minCell`. */
export function chooseCell(count: number, groups: number, width: number, maxHeight: number, minCell: number): number {
  for (const cell of [20, 18, 16, 14, 12, 11, 10, 9, 8, 7, 6, 5]) {
    if (cell <= minCell) break;
    const columns = Math.max(1, Math.floor(width / cell));
    const rows = Math.ceil(count / columns) + groups;
    if (rows * cell + groups * (HEADING_PX + GROUP_GAP_PX) <= maxHeight) return cell;
  }
  return minCell;
}
