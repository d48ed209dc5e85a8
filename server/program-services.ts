import type { Actor, DocumentOf, OperatorRequest, Reply } from "./core/index.ts";
import type { RecoveryOutcome, ServiceSupervisor } from "./ports/service-supervisor.ts";

/** What of the control plane a recovery of a plain service needs. */
export interface ProgramServices {
  /** A service with releases under an agent, and whether there is a good version to go back to; null: no such service. */
  find(service: string): { readonly wayBack: boolean } | null;
  request(actor: Actor, request: OperatorRequest): Promise<Reply>;
  /** The change as it is stored; null when it can't be read now. */
  readChange(id: string): Promise<DocumentOf<"change"> | null>;
  wait(ms: number): Promise<void>;
}

const holdfast: Actor = { id: "holdfast", name: "holdfast", role: "system" };
const lookMs = 250;
/** A rolling restart watches every node for a moment. */
const longestMs = 10 * 60_000;

/** Restart and rollback of services whose releases the agents keep: as a change like any other, on the Changes screen and in the audit. */
export function createProgramServices(parts: ProgramServices): ServiceSupervisor {
  return {
    can(action, service) {
      const known = parts.find(service);
      return known !== null && (action === "restart-service" || known.wayBack);
    },
    async act(action, service) {
      const reason = "recovery by cause";
      const answer = await parts.request(
        holdfast,
        action === "restart-service"
          ? { kind: "start-restart", service, reason }
          : { kind: "start-rollback", service, version: null, reason },
      );
      if (!answer.ok) return { ok: false, detail: `Refused: ${answer.code}.` };
      return follow(parts, String(answer.data.change));
    },
  };
}

async function follow(parts: ProgramServices, id: string): Promise<RecoveryOutcome> {
  for (let waitedMs = 0; waitedMs < longestMs; waitedMs += lookMs) {
    const change = await parts.readChange(id).catch(() => null);
    if (change !== null && change.closedAt !== null) {
      const ok = change.phase === "done" && change.fault === null;
      return { ok, detail: `${id} (${change.service} ${change.version}): ${change.fault?.code ?? change.phase}.` };
    }
    await parts.wait(lookMs);
  }
  return { ok: false, detail: `${id} has not ended within ${longestMs / 60_000} minutes.` };
}

/** The first that can; each service has one. */
export function firstOf(supervisors: readonly ServiceSupervisor[]): ServiceSupervisor {
  return {
    can: (action, service) => supervisors.some((each) => each.can(action, service)),
    act: async (action, service) =>
      (await supervisors.find((each) => each.can(action, service))?.act(action, service)) ?? {
        ok: false,
        detail: `Nothing here can act on ${service}.`,
      },
  };
}
