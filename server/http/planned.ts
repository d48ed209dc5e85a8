import type { PlanCheck } from "../core/index.ts";
import type { Principal } from "../ports/access.ts";
import { cleanText } from "../protocol/clean-text.ts";
import { Problem } from "./problem.ts";
import { actorOf } from "./route.ts";
import type { HttpServices } from "./services.ts";

/**
 * Asks for something planned under the control plane's own lock of what it concerns. Whoever holds that lock (a backup, a migration of the schema)
 * is not disturbed: the request is refused with who it is. What is unplanned, a failover, never asks.
 * @throws Problem 409 `lock-held`; whatever `ask` throws, with the lock given back
 */
export async function underLock<T>(
  { ownLocks }: HttpServices,
  principal: Principal | null,
  name: string,
  kind: string,
  ask: () => Promise<T>,
): Promise<T> {
  const claim = await ownLocks.claim(name, `${kind} (${actorOf(principal).name})`);
  if (!claim.ok) {
    const holder = cleanText(claim.lease?.holder ?? "", 200) || "somebody";
    const leftMs = Math.round(claim.lease?.leftMs ?? 0);
    const detail = `Nothing was begun: ${holder} holds the lock ${name}. Wait until it is free, or release it by force on the page Locks.`;
    throw new Problem(409, "lock-held", detail, { name, holder, leftMs });
  }
  try {
    return await ask();
  } catch (error) {
    await claim.giveUp();
    throw error;
  }
}

/** The same in advance, as one more check of the plan that is shown. Not part of its hash: a lock comes and goes. */
export async function withLockCheck<P extends { readonly checks: readonly PlanCheck[]; readonly runnable: boolean }>(
  { ownLocks }: HttpServices,
  name: string,
  plan: P,
): Promise<P> {
  const lease = await ownLocks.othersLease(name);
  const value = lease === null ? "0" : cleanText(lease.holder, 200);
  const check: PlanCheck = {
    code: "lock-free",
    status: lease === null ? "pass" : "block",
    value,
    limit: "0",
    data: { name },
  };
  return { ...plan, checks: [...plan.checks, check], runnable: plan.runnable && lease === null };
}
