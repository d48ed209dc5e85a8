import type { ActionView } from "../../server/protocol/index.ts";

/** Where the time of a failover went: each stage and step with its start and end, milliseconds from the first signal. */
export function describeStages(action: ActionView | null): string {
  if (action === null) return "no action";
  const origin = action.firstSignalAt ?? action.startedAt;
  const parts: string[] = [];
  if (action.decidedAt !== null) parts.push(`decided +${Math.round(action.decidedAt - origin)}`);
  parts.push(`started +${Math.round(action.startedAt - origin)}`);
  for (const step of action.steps) {
    if (step.startedAt === null) continue;
    const end = step.endedAt === null ? "…" : `+${Math.round(step.endedAt - origin)}`;
    const failed = step.status === "done" ? "" : ` ${step.status}`;
    parts.push(
      `${step.kind}${step.node === null ? "" : ` ${step.node}`} +${Math.round(step.startedAt - origin)}→${end}${failed}`,
    );
  }
  const outcome = action.phase === "done" ? "" : ` [${action.phase}${action.failure ? ` ${action.failure.code}` : ""}]`;
  return `${action.kind}${outcome}: ${parts.join(", ")}`;
}
