import type { ClusterView, IncidentView } from "../../server/protocol/index.ts";

export interface OutageMark {
  readonly fromMs: number;
  readonly toMs: number;
  /** Acknowledged writes that were looked for and not found; null until audited. */
  readonly lost: number | null;
}

/** Shorter gaps without a write are the application's own rhythm, unless an incident names them. */
const LEAST_MS = 500;

/**
 * Spans without an acknowledged write, as the application measured them: those of incidents, the last one that ended, and the
 * one going on. Oldest first; a span is told once.
 */
export function outageMarks(
  cluster: Pick<ClusterView, "id" | "workload">,
  incidents: readonly Pick<IncidentView, "cluster" | "impact">[],
): readonly OutageMark[] {
  const marks: OutageMark[] = [];
  const add = (mark: OutageMark) => {
    const known = marks.some((other) => mark.fromMs <= other.toMs && mark.toMs >= other.fromMs);
    if (!known && mark.toMs > mark.fromMs) marks.push(mark);
  };
  for (const { cluster: id, impact } of incidents) {
    const { writesUnavailableFrom: from, writesUnavailableTo: to } = impact;
    if (id === cluster.id && from !== null && to !== null) {
      add({ fromMs: from, toMs: to, lost: impact.acknowledgedLost });
    }
  }
  const { workload } = cluster;
  if (workload !== null) {
    const { lastOutage, auditedAt, lost, unavailableForMs, lastAcknowledgedAt } = workload;
    if (lastOutage !== null && lastOutage.toMs - lastOutage.fromMs >= LEAST_MS) {
      add({ ...lastOutage, lost: auditedAt !== null && auditedAt >= lastOutage.toMs ? lost : null });
    }
    if (unavailableForMs >= LEAST_MS && lastAcknowledgedAt !== null) {
      add({ fromMs: lastAcknowledgedAt, toMs: lastAcknowledgedAt + unavailableForMs, lost: null });
    }
  }
  return marks.sort((a, b) => a.fromMs - b.fromMs);
}
