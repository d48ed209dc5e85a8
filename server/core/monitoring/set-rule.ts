import { getDocument, putDocument } from "../documents.ts";
import { appendAudit, type Draft } from "../draft.ts";
import type { Actor } from "../event.ts";
import { checkNumbers, findRule, type RuleNumbers } from "./rules.ts";

type Answer =
  | { readonly ok: true; readonly data: Record<string, never> }
  | { readonly ok: false; readonly code: string; readonly data: Readonly<Record<string, string | number>> };

/** Sets the numbers of a rule, or brings the defaults back (null). What is raised is judged by the new numbers from the next reading on. */
export function setMonitorRule(
  draft: Draft,
  actor: Actor,
  request: { readonly rule: string; readonly numbers: RuleNumbers | null; readonly reason: string },
): Answer {
  const rule = findRule(request.rule);
  if (rule === null) return { ok: false, code: "unknown-rule", data: { rule: request.rule } };
  const refusal = request.numbers === null ? null : checkNumbers(rule, request.numbers);
  if (refusal !== null) return { ok: false, code: refusal, data: { rule: rule.id } };
  const before = getDocument(draft, "monitor-rule", rule.id);
  const { wallMs } = draft.now;
  const numbers = request.numbers ?? pickNumbers(rule);
  putDocument(draft, {
    kind: "monitor-rule",
    id: rule.id,
    openedAt: wallMs,
    closedAt: request.numbers === null ? wallMs : null,
    numbers,
    by: actor.name,
  });
  appendAudit(draft, {
    actor: actor.name,
    actorRole: actor.role,
    verb: request.numbers === null ? "rule-reset" : "rule-changed",
    subject: `rule:${rule.id}`,
    before: { ...(before?.numbers ?? pickNumbers(rule)) },
    after: { ...numbers },
    reason: request.reason,
  });
  return { ok: true, data: {} };
}

export function pickNumbers({ enabled, raise, clear, raiseForMs, clearForMs, floor }: RuleNumbers): RuleNumbers {
  return { enabled, raise, clear, raiseForMs, clearForMs, floor };
}
