import { type DocumentOf, getDocument, putDocument } from "../documents.ts";
import type { Draft } from "../draft.ts";
import type { State } from "../state.ts";
import type { ProgramRecord, ProgramStatus } from "./types.ts";

const historyKept = 50;

export interface ProgramOnNode {
  readonly node: string;
  readonly connected: boolean;
  readonly status: ProgramStatus;
}

/** A service on every node that reports it, by name of the node. */
export function listProgram(state: State, service: string): ProgramOnNode[] {
  return [...state.live.nodes.values()]
    .flatMap((node) => {
      const status = (node.programs ?? []).find(({ name }) => name === service);
      return status === undefined ? [] : [{ node: node.id, connected: node.connected, status }];
    })
    .sort((a, b) => (a.node < b.node ? -1 : 1));
}

export function listServices(state: State): string[] {
  const names = [...state.live.nodes.values()].flatMap((node) => (node.programs ?? []).map(({ name }) => name));
  return [...new Set(names)].sort();
}

export function findProgram(state: State, node: string, service: string): ProgramStatus | null {
  return (state.live.nodes.get(node)?.programs ?? []).find(({ name }) => name === service) ?? null;
}

export function readRecord(draft: Draft, service: string): DocumentOf<"program"> {
  const known = getDocument(draft, "program", service);
  if (known !== null) return known;
  const fresh = { serial: 0, openChange: null, history: [] };
  return { kind: "program", id: service, openedAt: draft.now.wallMs, closedAt: null, ...fresh };
}

export function patchRecord(draft: Draft, service: string, patch: Partial<ProgramRecord>): void {
  putDocument(draft, { ...readRecord(draft, service), ...patch });
}

/** Notes how a version did; the newest word on it counts. */
export function noteVersion(
  draft: Draft,
  service: string,
  version: string,
  change: string | null,
  verdict: "good" | "bad",
): void {
  const { history } = readRecord(draft, service);
  const entry = { version, change, at: draft.now.wallMs, verdict };
  const others = history.filter((each) => each.version !== version);
  patchRecord(draft, service, { history: [...others, entry].slice(-historyKept) });
}

/**
 * Where one step back leads: the newest version that did well, other than the one that came last of those that run. What ran before it may run
 * beside it still, on the nodes that it has not reached.
 */
export function versionBefore(record: ProgramRecord | null, running: readonly (string | null)[]): string | null {
  const history = record?.history ?? [];
  const newest = history.findLast(({ version }) => running.includes(version))?.version;
  const leaves = (version: string) => (newest === undefined ? running.includes(version) : version === newest);
  return history.findLast(({ version, verdict }) => verdict === "good" && !leaves(version))?.version ?? null;
}
