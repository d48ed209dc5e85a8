import type { RecoveryAction } from "./core/index.ts";
import type { ServiceSupervisor } from "./ports/service-supervisor.ts";

const timeoutMs = 15_000;

/** The demo's own supervisor starts its shop's services again and takes their releases back. */
export function createDemoServices(demo: {
  readonly url: string;
  readonly token: string;
  readonly services: readonly string[];
}): ServiceSupervisor {
  return {
    can: (_action, service) => demo.services.includes(service),
    act: async (action, service) => {
      try {
        return await ask(demo, action, service);
      } catch (error) {
        return { ok: false, detail: `The demo's supervisor did not answer (${String(error)}).` };
      }
    },
  };
}

async function ask(demo: { readonly url: string; readonly token: string }, action: RecoveryAction, service: string) {
  const response = await fetch(`${demo.url}/services`, {
    method: "POST",
    headers: { authorization: `Bearer ${demo.token}`, "content-type": "application/json" },
    body: JSON.stringify({ action, service }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const body = (await response.json()) as { detail?: string; error?: string };
  return { ok: response.ok, detail: body.detail ?? body.error ?? `It answered with ${response.status}.` };
}
