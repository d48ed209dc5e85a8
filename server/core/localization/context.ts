import { buildCallGraph, type CallGraph } from "./graph.ts";
import type { TelemetryWindow } from "./telemetry.ts";

/** The window plus what every extractor needs of it, computed once. */
export interface Context {
  readonly window: TelemetryWindow;
  readonly graph: CallGraph;
  readonly index: ReadonlyMap<string, number>;
}

export function createContext(window: TelemetryWindow): Context {
  return {
    window,
    graph: buildCallGraph(window.nodes, window.edges),
    index: new Map(window.nodes.map((node, i) => [node, i])),
  };
}
