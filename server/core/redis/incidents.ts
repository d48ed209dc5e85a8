import { type Draft, demand, getIncident, listIncidents, patchIncident } from "../draft.ts";
import {
  addEvidence,
  findVerdict,
  joinVerdict,
  mitigateIncident,
  openIncident,
  resolveIncident,
} from "../incident/record-verdict.ts";
import { findOpenIncident } from "../incident/sync-incidents.ts";
import type { Incident, Verdict } from "../incident/types.ts";
import type { RedisDocument } from "./servers.ts";

/** Opens, joins and ends the incident of a Redis cluster. `mitigated`: clients are served; `whole`: everything is as it was promised. */
export function syncRedisIncident(
  draft: Draft,
  record: RedisDocument,
  verdict: Verdict | null,
  state: { readonly mitigated: boolean; readonly whole: boolean },
): Incident | null {
  const open = findOpenIncident(draft, record.id) ?? adoptNodeIncident(draft, record, verdict);
  if (verdict !== null) noteVerdict(draft, record, open, verdict);
  const current = findOpenIncident(draft, record.id);
  if (current === null) return null;
  const subject = { kind: "cluster", id: record.id } as const;
  if (state.mitigated) mitigateIncident(draft, current, subject, { primary: record.primary, epoch: record.epoch });
  if (verdict !== null || !state.whole) return getIncident(draft, current.id);
  resolveIncident(draft, current.id, subject);
  return null;
}

/** The node itself was found to be gone before its Redis servers were: one fault, one incident. */
function adoptNodeIncident(draft: Draft, record: RedisDocument, verdict: Verdict | null): Incident | null {
  const known = listIncidents(draft).find(
    ({ cluster, resolvedAt, cause }) =>
      cluster === null &&
      resolvedAt === null &&
      cause.subject.kind === "node" &&
      cause.subject.id === verdict?.subject.id,
  );
  if (known === undefined) return null;
  patchIncident(draft, known.id, {
    cluster: record.id,
    impact: { ...known.impact, redundancyReducedFrom: draft.now.wallMs },
  });
  return demand(getIncident(draft, known.id), known.id);
}

/** The same verdict with more witnesses, or another one of the same fault: once each. */
function noteVerdict(draft: Draft, record: RedisDocument, open: Incident | null, verdict: Verdict): void {
  if (open === null) {
    openIncident(draft, verdict, { cluster: record.id, follows: null });
    return;
  }
  const known = findVerdict(open, verdict);
  if (known === undefined) joinVerdict(draft, open, verdict);
  else addEvidence(draft, open, known, verdict);
}
