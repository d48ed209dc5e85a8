import type { ClusterView } from "../../server/protocol/index.ts";

export interface OutageMark {
  readonly fromMs: number;
  readonly toMs: number;
  /** Acknowledged writes that were looked for and not found; null until audited. */
  readonly lost: number | null;
}

/** Spans without an acknowledged write, as the application measured them: the last one ended, and the one going on. */
export function outageMarks(cluster: Pick<ClusterView, "workload">, nowMs: number = Date.now()): readonly OutageMark[] {
  const { workload } = cluster;
  if (workload === null) return [];
  const marks: OutageMark[] = [];
  if (workload.lastOutage !== null) {
    const audited = workload.auditedAt !== null && workload.auditedAt >= workload.lastOutage.toMs;
    marks.push({ ...workload.lastOutage, lost: audited ? workload.lost : null });
  }
  if (workload.unavailableForMs > 500) {
    const fromMs = workload.lastAcknowledgedAt ?? nowMs - workload.unavailableForMs;
    marks.push({ fromMs, toMs: fromMs + workload.unavailableForMs, lost: null });
  }
  return marks;
}
