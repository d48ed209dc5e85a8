import type { ClusterView } from "../../server/protocol/index.ts";

export interface AutomationSummary {
  /** The least automatic state of any cluster: the one worth a word. */
  readonly state: "on" | "held" | "off";
  readonly count: number;
  readonly of: number;
}

/** Automation over several clusters: "on" only when it is on everywhere. Maintenance that holds automation counts as held. */
export function summarizeAutomation(
  clusters: readonly Pick<ClusterView, "automation" | "maintenance">[],
): AutomationSummary {
  const states = clusters.map(({ automation, maintenance }) =>
    automation.state === "on" && maintenance?.holdAutomation ? "held" : automation.state,
  );
  const state = states.includes("off") ? "off" : states.includes("held") ? "held" : "on";
  return { state, count: states.filter((each) => each === state).length, of: states.length };
}
