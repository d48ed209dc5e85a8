import { getDocument, listDocuments, putDocument } from "../documents.ts";
import { appendAudit, type Draft } from "../draft.ts";
import type { Actor } from "../event.ts";

type Answer =
  | { readonly ok: true; readonly data: Record<string, never> }
  | { readonly ok: false; readonly code: string; readonly data: Readonly<Record<string, string | number>> };

/** Beyond this nobody reads them any more, and every one is in memory. */
const mostDependencies = 5_000;

/** A person says that one service depends on another, or takes it back. What spans show needs no saying. */
export function declareDependency(
  draft: Draft,
  actor: Actor,
  { from, to, declared, reason }: { from: string; to: string; declared: boolean; reason: string },
): Answer {
  const id = `${from}>${to}`;
  const known = getDocument(draft, "declared-dependency", id);
  if (from === to) return { ok: false, code: "dependency-on-itself", data: { service: from } };
  if ((known !== null) === declared)
    return { ok: false, code: declared ? "dependency-known" : "unknown-dependency", data: { from, to } };
  if (declared && listDocuments(draft, "declared-dependency").length >= mostDependencies) {
    return { ok: false, code: "too-many-dependencies", data: { most: mostDependencies } };
  }
  const { wallMs } = draft.now;
  putDocument(draft, {
    kind: "declared-dependency",
    id,
    openedAt: known?.openedAt ?? wallMs,
    closedAt: declared ? null : wallMs,
    from,
    to,
    by: known?.by ?? actor.name,
  });
  appendAudit(draft, {
    actor: actor.name,
    actorRole: actor.role,
    verb: declared ? "dependency-declared" : "dependency-removed",
    subject: `service:${from}`,
    before: known === null ? null : { dependsOn: to },
    after: declared ? { dependsOn: to } : null,
    reason,
  });
  return { ok: true, data: {} };
}
