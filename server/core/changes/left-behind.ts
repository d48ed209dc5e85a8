import { type Draft, demand } from "../draft.ts";
import type { State } from "../state.ts";
import type { OpenOptions } from "./open.ts";
import { openChange } from "./open.ts";
import { versionOf, versionOn } from "./plan.ts";
import { listProgram, patchRecord, readRecord } from "./programs.ts";
import type { RolloutRequest } from "./types.ts";

/**
 * A rollback does not wait for nodes that are away: what is bad runs on everywhere meanwhile, and one missing vote would abort it. It goes on with
 * those that are there, says which are left, and these are done as soon as they are back.
 */

/** The nodes of a rollback that answer now, and those that are left. */
export function splitByPresence(
  state: State,
  request: RolloutRequest,
): { readonly request: RolloutRequest; readonly left: readonly string[] } {
  const here = new Set(listProgram(state, request.service).flatMap(({ node, connected }) => (connected ? [node] : [])));
  const left = request.waves.flat().filter((node) => !here.has(node));
  const waves = request.waves.map((wave) => wave.filter((node) => here.has(node))).filter((wave) => wave.length > 0);
  return { request: { ...request, waves }, left };
}

/** Opens a rollback for who is there; null when nobody is. */
export function openRollback(draft: Draft, options: OpenOptions): ReturnType<typeof openChange> | null {
  const { request, left } = splitByPresence(draft.state, options.request);
  if (request.waves.length === 0) return null;
  const opened = openChange(draft, { ...options, request, left });
  if (left.length > 0) remember(draft, options, left);
  return opened;
}

/** They are its due from now on. A later change of the service decides anew. */
export function remember(draft: Draft, options: OpenOptions, nodes: readonly string[]): void {
  const { request, rollbackOf, incidentId, by, reason } = options;
  const { item, watchMs, service } = request;
  patchRecord(draft, service, { left: { nodes, item, watchMs, rollbackOf, incidentId, by, reason } });
}

/** Nodes that are back from being away during a rollback go back, too. */
export function catchUp(draft: Draft, service: string): void {
  const { left = null, openChange: open } = readRecord(draft, service);
  if (left === null || open !== null) return;
  const here = listProgram(draft.state, service);
  const wanted = versionOf(left.item);
  const isDone = (node: string) => versionOn(here, node, left.item) === wanted;
  const back = left.nodes.filter((node) => here.some((each) => each.node === node && each.connected));
  const due = back.filter((node) => !isDone(node));
  const away = left.nodes.filter((node) => !back.includes(node));
  if (back.length === 0) return;
  patchRecord(draft, service, { left: away.length === 0 ? null : { ...left, nodes: away } });
  if (due.length === 0) return;
  const { item, watchMs, rollbackOf, incidentId, by, reason } = left;
  const request: RolloutRequest = { service, item, protocol: "2pc", waves: [due], watchMs, sql: null };
  const rest = demand(readRecord(draft, service), service).left ?? null;
  openChange(draft, { request, by, automatic: true, reason, rollbackOf, incidentId });
  patchRecord(draft, service, { left: rest });
}
