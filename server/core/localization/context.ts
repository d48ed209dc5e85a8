import { buildCallGraph, type CallGraph } from "./graph.ts";
import type { Onset } from "./onset.ts";
import type { TelemetryWindow } from "./telemetry.ts";

/** The window plus what every extractor needs of it, computed once. */
export interface Context {
  readonly window: TelemetryWindow;
  readonly graph: CallGraph;
  readonly index: ReadonlyMap<string, number>;
  readonly onset: Onset;
}

export function createContext(window: TelemetryWindow, onset: Onset): Context {
  return {
    window,
    onset,
    graph: buildCallGraph(window.nodes, window.edges),
    index: new Map(window.nodes.map((node, i) => [node, i])),
  };
}
