import { type Draft, listIncidents } from "../draft.ts";
import { joinVerdict, openIncident, resolveIncident } from "./record-verdict.ts";
import type { Incident, Verdict, VerdictKind } from "./types.ts";

/** The same complaint of several subjects within this time is one incident: a burst of load raises a hundred rules, not a hundred incidents. */
const togetherMs = 120_000;

/** Complaints that a common cause brings over many subjects at once. A node that is gone is a fault of its own. */
const shared: ReadonlySet<VerdictKind> = new Set([
  "overload",
  "memory-short",
  "disk-filling",
  "replication-lagging",
  "errors-rising",
  "unusual-level",
]);

/** What is judged of one subject now; `cluster`: the one it is a member of. */
export interface JudgedSubject {
  readonly kind: "node" | "service";
  readonly id: string;
  readonly cluster: string | null;
  readonly verdicts: readonly Verdict[];
}

/** Opens, joins and ends the incidents of nodes and services by what is judged of them: one for each subject, and one for what is common. */
export function syncSubjects(draft: Draft, subjects: readonly JudgedSubject[]): void {
  const present = new Set(subjects.flatMap(({ verdicts }) => verdicts.map(keyOf)));
  endIncidents(draft, present);
  if (present.size === 0) return;
  for (const subject of subjects) {
    for (const verdict of subject.verdicts) placeVerdict(draft, subject, verdict);
  }
}

function keyOf({ kind, subject }: Verdict): string {
  return `${kind}/${subject.kind}/${subject.id}`;
}

function verdictsOf(incident: Incident): readonly Verdict[] {
  return [incident.cause, ...incident.symptoms];
}

function placeVerdict(draft: Draft, { kind, id, cluster }: JudgedSubject, verdict: Verdict): void {
  const open = listIncidents(draft).filter((incident) => incident.resolvedAt === null);
  if (open.some((incident) => verdictsOf(incident).some((each) => keyOf(each) === keyOf(verdict)))) return;
  const isSubject = (each: Verdict) => each.subject.kind === kind && each.subject.id === id;
  const holder =
    open.find((incident) => isSubject(incident.cause)) ??
    open.find((incident) => incident.symptoms.some(isSubject)) ??
    open.find((incident) => cluster !== null && incident.cluster === cluster) ??
    open.find((incident) => isCommon(incident, verdict, draft.now.wallMs));
  if (holder !== undefined) return joinVerdict(draft, holder, verdict);
  const previous = listIncidents(draft)
    .filter((item) => item.cause.subject.id === id && item.cause.kind === verdict.kind)
    .at(-1);
  openIncident(draft, verdict, { cluster: null, follows: previous?.id ?? null });
}

function isCommon({ cause, lastSignalAt }: Incident, verdict: Verdict, wallMs: number): boolean {
  return shared.has(verdict.kind) && cause.kind === verdict.kind && wallMs - lastSignalAt < togetherMs;
}

/** Ends what is judged here and is so no longer; what clusters and services judge themselves ends there. */
function endIncidents(draft: Draft, present: ReadonlySet<string>): void {
  for (const incident of listIncidents(draft)) {
    if (incident.cluster !== null || incident.resolvedAt !== null || !isJudgedHere(incident.cause)) continue;
    if (!verdictsOf(incident).some((verdict) => present.has(keyOf(verdict)))) {
      resolveIncident(draft, incident.id, incident.cause.subject);
    }
  }
}

function isJudgedHere({ kind, subject }: Verdict): boolean {
  return subject.kind === "node" || kind === "errors-rising";
}
