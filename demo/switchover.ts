import type { ClusterView, PlanView } from "../server/protocol/index.ts";
import type { ApiClient } from "./api-client.ts";
import { machineMs } from "./clock.ts";
import { clusterName } from "./topology.ts";

export interface SwitchoverStart {
  /** When it was asked for, by the machine's monotonic clock. */
  readonly atMs: number;
  readonly detail: string;
}

/**
 * A planned switchover as the page does it: look at the plan, then ask for exactly that plan.
 * @throws Error with the checks in the way, or the API's refusal.
 */
export async function switchOver(api: ApiClient, wanted: string | null): Promise<SwitchoverStart> {
  const target = wanted ?? (await chooseTarget(api));
  const plan = await api.post<PlanView>(`clusters/${clusterName}/plan`, { kind: "switchover", target });
  if (!plan.runnable) {
    const blocks = plan.checks.filter((check) => check.status === "block");
    throw new Error(
      `No switchover is possible now: ${blocks.map(({ code, value }) => `${code} (${value})`).join(", ")}.`,
    );
  }
  const atMs = machineMs();
  await api.post(`clusters/${clusterName}/actions`, {
    kind: "switchover",
    target,
    planHash: plan.planHash,
    reason: "Demo",
    confirm: clusterName,
  });
  return { atMs, detail: `${plan.before.primary} hands over to ${target}` };
}

async function chooseTarget(api: ApiClient): Promise<string> {
  const cluster = await api.get<ClusterView>(`clusters/${clusterName}`);
  const member = cluster.members.find(({ node, candidate }) => node !== cluster.primary && candidate.eligible);
  if (member !== undefined) return member.node;
  const reasons = cluster.members.map(({ node, candidate }) => `${node}: ${candidate.reason.code}`);
  throw new Error(`No standby can take over now (${reasons.join(", ")}).`);
}
