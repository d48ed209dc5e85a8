import { type Draft, listIncidents, patchIncident } from "../draft.ts";
import { openIncident } from "../incident/record-verdict.ts";
import type { Verdict } from "../incident/types.ts";

export function openServiceIncident(draft: Draft, verdict: Verdict): void {
  const previous = listIncidents(draft)
    .filter(({ cause }) => cause.kind === verdict.kind && cause.subject.id === verdict.subject.id)
    .at(-1);
  const id = openIncident(draft, verdict, { cluster: null, follows: previous?.id ?? null });
  // Nobody is suspected before the telemetry was asked.
  patchIncident(draft, id, { suspects: [], localization: null, recovery: null, mergedInto: null });
}
