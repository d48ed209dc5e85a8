import { parseAsArrayOf, parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import type { HealthState, NodeView } from "../../server/protocol/index.ts";
import { stateUrgency } from "../ui/state-urgency.ts";
import { groupings } from "./fleet-layout.ts";
import { sortKeys } from "./sort-nodes.ts";

/** Everything about the fleet's view, in the address. */
export const fleetParams = {
  view: parseAsStringLiteral(["map", "table"] as const).withDefault("map"),
  group: parseAsStringLiteral(groupings).withDefault("zone"),
  states: parseAsArrayOf(parseAsStringLiteral(stateUrgency)).withDefault([]),
  q: parseAsString.withDefault(""),
  sort: parseAsStringLiteral(sortKeys).withDefault("state"),
  order: parseAsStringLiteral(["asc", "desc"] as const).withDefault("asc"),
  node: parseAsString,
};

export function useFleetParams() {
  return useQueryStates(fleetParams, { history: "replace" });
}

/** Nodes that match: every word of `q` occurs in the id, zone, cluster, role or a label; and the state is one of `states`. */
export function filterNodes(
  nodes: readonly NodeView[],
  filter: { readonly q: string; readonly states: readonly HealthState[]; readonly scope: string | null },
): readonly NodeView[] {
  const words = filter.q
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  if (words.length === 0 && filter.states.length === 0 && filter.scope === null) return nodes;
  const states = new Set(filter.states);
  return nodes.filter((node) => {
    if (filter.scope !== null && node.cluster !== filter.scope) return false;
    if (states.size > 0 && !states.has(node.state)) return false;
    return words.every((word) => matches(node, word));
  });
}

function matches(node: NodeView, word: string): boolean {
  if (node.id.includes(word) || node.zone.toLowerCase().includes(word) || node.role.includes(word)) return true;
  if (node.cluster?.toLowerCase().includes(word)) return true;
  for (const [name, value] of Object.entries(node.labels)) {
    if (`${name}=${value}`.toLowerCase().includes(word)) return true;
  }
  return false;
}
