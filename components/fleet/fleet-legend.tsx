"use client";
import { useTranslations } from "next-intl";
import type { HealthState, NodeView } from "../../server/protocol/index.ts";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { stateUrgency } from "../ui/state-urgency.ts";

export function countStates(nodes: readonly NodeView[]): Record<HealthState, number> {
  const counts: Record<HealthState, number> = {
    healthy: 0,
    suspect: 0,
    degraded: 0,
    down: 0,
    unknown: 0,
    maintenance: 0,
    fenced: 0,
  };
  for (const node of nodes) counts[node.state] += 1;
  return counts;
}

/** How many are in which state; states nobody is in are left out. */
export function FleetLegend({ nodes }: { nodes: readonly NodeView[] }) {
  const t = useTranslations("state");
  const counts = countStates(nodes);
  return (
    <ul className="num flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted">
      {[...stateUrgency]
        .reverse()
        .filter((state) => counts[state] > 0)
        .map((state) => (
          <li key={state} className="inline-flex items-center gap-1.5">
            <StateGlyph state={state} size={11} withWord />
            {counts[state].toLocaleString("en")} {t(state)}
          </li>
        ))}
    </ul>
  );
}
