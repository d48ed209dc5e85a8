import type { Policy, State } from "../core/index.ts";
import type { LoadedState } from "../ports/store.ts";

/** Replaces the durable state by what the store holds; the configuration's own policy wins. Live observations stay. */
export function fillDurable(state: State, loaded: LoadedState, overrides: Partial<Policy>): void {
  const { durable } = state;
  refill(durable.nodes, loaded.nodes);
  refill(durable.clusters, loaded.clusters);
  refill(durable.incidents, loaded.incidents);
  refill(durable.actions, loaded.actions);
  refill(durable.commands, loaded.commands);
  refill(durable.documents, loaded.documents);
  durable.counters = loaded.counters;
  // What an older version stored lacks the newer fields.
  durable.policy = { ...durable.policy, ...loaded.policy, ...overrides };
}

function refill<K, V>(target: Map<K, V>, source: ReadonlyMap<K, V>): void {
  target.clear();
  for (const [key, value] of source) target.set(key, value);
}

/** Keys of everything that has a view. */
export function allEntities(state: State): Set<string> {
  const keys = new Set<string>(["system"]);
  for (const id of state.durable.nodes.keys()) keys.add(`node:${id}`);
  for (const id of state.durable.clusters.keys()) keys.add(`cluster:${id}`);
  for (const id of state.durable.incidents.keys()) keys.add(`incident:${id}`);
  for (const id of state.durable.actions.keys()) keys.add(`action:${id}`);
  for (const key of state.durable.documents.keys()) keys.add(`document:${key}`);
  return keys;
}
