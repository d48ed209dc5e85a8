import { listServices, planRollback, type RecoveryAction, type State, type Suspect } from "../../core/index.ts";
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
  state: State,
  supervisor: ServiceSupervisor | null,
): { readonly action: RecoveryAction; readonly service: string } | null {
  const action = remedies[cause];
  if (action === undefined || !can(action, subject.id, state, supervisor)) return null;
  return { action, service: subject.id };
}

/** A service whose releases agents keep is recovered by a change; any other one by whoever supervises it. */
function can(action: RecoveryAction, service: string, state: State, supervisor: ServiceSupervisor | null): boolean {
  if (!listServices(state).includes(service)) return supervisor?.can(action, service) ?? false;
  return action === "restart-service" || planRollback(state, service, null) !== null;
}
