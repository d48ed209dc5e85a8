import { defaultRules, type Rule, type RuleNumbers, type State } from "../../core/index.ts";
import type { RuleSubjectView, RuleView } from "../../protocol/index.ts";

/** Subjects shown beneath a rule: those for which it is raised, then the ones nearest to it. */
const subjectsShown = 8;

/** Every monitoring rule: its numbers, the defaults, and what it says now. */
export function projectRules(state: State): RuleView[] {
  return defaultRules.map((defaults) => {
    const document = state.durable.documents.get(`monitor-rule:${defaults.id}`);
    const changed = document?.kind === "monitor-rule" ? document : null;
    const rule: Rule = { ...defaults, ...changed?.numbers };
    const subjects = readSubjects(state, rule);
    return {
      ...rule,
      defaults: pickNumbers(defaults),
      changedBy: changed?.by ?? null,
      changedAt: changed?.openedAt ?? null,
      raised: subjects.filter((subject) => subject.raisedSince !== null).length,
      measured: subjects.length,
      subjects: subjects.slice(0, subjectsShown),
    };
  });
}

function readSubjects(state: State, rule: Rule): RuleSubjectView[] {
  const found: RuleSubjectView[] = [];
  for (const [subject, monitor] of state.live.monitors) {
    const reading = monitor.latest.get(rule.id);
    if (reading === undefined) continue;
    const memory = monitor.rules.get(rule.id);
    found.push({
      subject,
      value: reading.value,
      usual: reading.usual?.level ?? null,
      deviations: reading.deviations,
      raisedSince: memory?.raised === true ? memory.raisedSinceMs : null,
      pendingSince: memory?.raised === false ? memory.pendingSinceMs : null,
    });
  }
  const sign = rule.direction === "above" ? -1 : 1;
  const score = (view: RuleSubjectView) => sign * (rule.kind === "anomaly" ? (view.deviations ?? 0) : view.value);
  const isRaised = (view: RuleSubjectView) => Number(view.raisedSince !== null);
  return found.sort((a, b) => isRaised(b) - isRaised(a) || score(a) - score(b));
}

function pickNumbers({ enabled, raise, clear, raiseForMs, clearForMs, floor }: RuleNumbers): RuleNumbers {
  return { enabled, raise, clear, raiseForMs, clearForMs, floor };
}
