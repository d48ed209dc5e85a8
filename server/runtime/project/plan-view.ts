import type { Plan } from "../../core/index.ts";
import type { PlanView } from "../../protocol/index.ts";

/** The plan with the same action by command line. */
export function projectPlan(plan: Plan): PlanView {
  return { ...plan, command: commandOf(plan) };
}

function commandOf(plan: Plan): string {
  const target = plan.target ?? plan.after?.primary ?? null;
  switch (plan.kind) {
    case "failover":
      return `holdfast failover ${plan.cluster}${target === null ? "" : ` --to ${target}`}${plan.fencing === "operator" ? ` --confirm-down ${plan.before.primary}` : ""} --plan ${plan.planHash} --reason "…"`;
    case "switchover":
      return `holdfast switchover ${plan.cluster} --to ${target ?? "NODE"} --plan ${plan.planHash} --reason "…"`;
    case "rejoin":
      return `holdfast rejoin ${plan.cluster} ${target ?? "NODE"} --reason "…"`;
    default:
      return plan.kind satisfies never;
  }
}
