import { documentKey, type ProgramRecord, type State, versionBefore } from "../../core/index.ts";
import type { ProgramView } from "../../protocol/index.ts";

/** Every plain service that some node reports, with what its changes have taught. */
export function projectPrograms(state: State): ProgramView[] {
  const services = new Map<string, ProgramView["nodes"][number][]>();
  for (const live of state.live.nodes.values()) {
    const zone = state.durable.nodes.get(live.id)?.zone ?? "";
    for (const status of live.programs ?? []) {
      const nodes = services.get(status.name) ?? [];
      nodes.push({ node: live.id, zone, connected: live.connected, status });
      services.set(status.name, nodes);
    }
  }
  return [...services].sort(([a], [b]) => (a < b ? -1 : 1)).map(([service, nodes]) => viewOf(state, service, nodes));
}

function viewOf(state: State, service: string, nodes: ProgramView["nodes"]): ProgramView {
  const record = (state.durable.documents.get(documentKey("program", service)) ?? null) as ProgramRecord | null;
  const history = record?.history ?? [];
  const [first, ...others] = nodes;
  const everywhere = (version: string) => others.every(({ status }) => status.releases.includes(version));
  return {
    service,
    nodes: [...nodes].sort((a, b) => (a.node < b.node ? -1 : 1)),
    releases: first?.status.releases.filter(everywhere) ?? [],
    lastGood: versionBefore(
      record,
      nodes.map(({ status }) => status.version),
    ),
    openChange: record?.openChange ?? null,
    history,
  };
}
