import type { PlanView } from "../server/protocol/index.ts";
import type { ApiClient } from "./api-client.ts";
import { clusterName } from "./topology.ts";

/**
 * A planned switchover as the page does it: look at the plan, then ask for exactly that plan.
 * @throws Error with the checks in the way, or the API's refusal.
 */
export async function switchOver(api: ApiClient, target: string | null): Promise<string> {
  const path = `clusters/${clusterName}/plan?kind=switchover${target === null ? "" : `&target=${target}`}`;
  const plan = await api.get<PlanView>(path);
  if (!plan.runnable || plan.target === null) {
    const blocks = plan.checks
      .filter((check) => check.status === "block")
      .map((check) => `${check.code} (${check.value})`);
    throw new Error(`No switchover is possible now: ${blocks.join(", ") || "there is no candidate"}.`);
  }
  await api.post(`clusters/${clusterName}/switchover`, {
    target: plan.target,
    planHash: plan.planHash,
    reason: "Demo",
  });
  return `${plan.before.primary} hands over to ${plan.target}`;
}
