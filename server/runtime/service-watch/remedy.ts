import type { RecoveryAction, Suspect } from "../../core/index.ts";
import type { ServiceSupervisor } from "../../ports/service-supervisor.ts";

/** What ends a fault of this kind. A full volume or a slow query is not cured by a restart: nothing is offered there. */
const remedies: Readonly<Record<string, RecoveryAction>> = {
  "release-broken": "roll-back-release",
  "pool-exhausted": "restart-service",
  "memory-growing": "restart-service",
  "cpu-starved": "restart-service",
  "throws-errors": "restart-service",
  "answers-late": "restart-service",
};

export function remedyFor(
  { subject, cause }: Suspect,
  supervisor: ServiceSupervisor | null,
): { readonly action: RecoveryAction; readonly service: string } | null {
  const action = remedies[cause];
  if (action === undefined || supervisor === null || !supervisor.can(action, subject.id)) return null;
  return { action, service: subject.id };
}
