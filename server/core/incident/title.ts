import { namedAbove } from "./severity.ts";
import type { Incident } from "./types.ts";

/** What an incident is called: `code` and `data` of its sentence; `named`, when the sentence says it, is the code of the likeliest cause. */
export interface IncidentTitle {
  readonly code: string;
  readonly named: string | null;
  readonly data: Readonly<Record<string, string | null>>;
}

/** What users feel is the symptom; the title says the cause as soon as it is likely. */
export function titleOf({ cause, cluster, suspects: [first] }: Incident): IncidentTitle {
  const data = { subject: cause.subject.id, cluster };
  if (cause.kind !== "service-degraded") return { code: cause.kind, named: null, data };
  if (cause.evidence.some(({ code }) => code === "memory-growth"))
    return { code: "service-growing", named: null, data };
  if (first === undefined || first.confidence < namedAbove) return { code: cause.kind, named: null, data };
  return { code: "service-degraded-by", named: first.cause, data: { ...data, suspect: first.subject.id } };
}
