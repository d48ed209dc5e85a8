"use client";
import { useTranslations } from "next-intl";
import { parseAsString, useQueryState } from "nuqs";
import type { RuleView } from "../../server/protocol/index.ts";
import { useRules } from "../data/queries.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { cleanText } from "../format/hostile-text.ts";
import { Badge } from "../ui/badge.tsx";
import { ErrorState, SkeletonLines } from "../ui/feedback.tsx";
import { PageHeader, Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { Elapsed, useFormat } from "../ui/text.tsx";
import { RuleSheet } from "./rule-sheet.tsx";
import { levelUnit, metricUnit } from "./rule-units.ts";
import { useLevelText } from "./use-level-text.ts";

/** What Holdfast watches for by numbers: each rule with what it says now. */
export function PoliciesScreen() {
  const t = useTranslations("policies");
  const [open, setOpen] = useQueryState("rule", parseAsString);
  const query = useRules();
  const problem = useProblemText();
  const rules = query.data?.items ?? [];
  const selected = rules.find((rule) => rule.id === open) ?? null;
  return (
    <>
      <PageHeader title={t("title")} subtitle={t("subtitle")} />
      <div className="flex flex-col gap-4">
        {query.isPending ? (
          <SkeletonLines lines={8} />
        ) : query.isError && rules.length === 0 ? (
          <ErrorState {...problem(query.error)} onRetry={() => void query.refetch()} />
        ) : (
          (["threshold", "anomaly"] as const).map((kind) => (
            <Panel key={kind} title={t(`kind.${kind}`)} aside={t(`kindHint.${kind}`)} bodyClassName="px-4 pb-1">
              <ul>
                {rules
                  .filter((rule) => rule.kind === kind)
                  .map((rule) => (
                    <RuleRow key={rule.id} rule={rule} onOpen={() => void setOpen(rule.id)} />
                  ))}
              </ul>
            </Panel>
          ))
        )}
      </div>
      {selected !== null && <RuleSheet key={selected.id} rule={selected} onClose={() => void setOpen(null)} />}
    </>
  );
}

function RuleRow({ rule, onOpen }: { rule: RuleView; onOpen: () => void }) {
  const t = useTranslations("policies");
  const level = useLevelText();
  const format = useFormat();
  const unit = levelUnit(rule);
  return (
    <li className="border-t border-line">
      <button
        type="button"
        onClick={onOpen}
        data-rule={rule.id}
        className="focus-ring -mx-2 grid w-[calc(100%+1rem)] grid-cols-1 gap-x-6 gap-y-1 rounded-md px-2 py-3 text-left hover:bg-raised md:grid-cols-[minmax(0,1.2fr)_minmax(0,1fr)_minmax(0,1fr)]"
      >
        <span className="min-w-0">
          <span className="flex flex-wrap items-center gap-2 font-semibold">
            {t(`rule.${rule.id}.name`)}
            {!rule.enabled && <Badge>{t("off")}</Badge>}
            {rule.changedBy !== null && (
              <Badge tone="accent">{t("changed", { by: cleanText(rule.changedBy, 40) })}</Badge>
            )}
          </span>
          <span className="block text-xs text-muted">{t(`rule.${rule.id}.text`)}</span>
        </span>
        <span className="num text-sm">
          {t(`raise.${rule.direction}`, {
            level: level(rule.raise, unit),
            time: format.duration(rule.raiseForMs),
            instant: rule.raiseForMs === 0 ? "yes" : "no",
          })}
          <span className="block text-xs text-muted">
            {t(`clear.${rule.direction}`, {
              level: level(rule.clear, unit),
              time: format.duration(rule.clearForMs),
              instant: rule.clearForMs === 0 ? "yes" : "no",
            })}
          </span>
        </span>
        <PresentState rule={rule} />
      </button>
    </li>
  );
}

function PresentState({ rule }: { rule: RuleView }) {
  const t = useTranslations("policies");
  const level = useLevelText();
  const nearest = rule.subjects[0];
  if (!rule.enabled) return <span className="text-muted">{t("notWatched")}</span>;
  if (nearest === undefined) return <span className="text-muted">{t("unmeasured")}</span>;
  const name = cleanText(nearest.subject.slice(nearest.subject.indexOf(":") + 1), 40);
  const value = level(nearest.value, metricUnit(rule.metric));
  return (
    <span className="num flex min-w-0 items-start gap-2">
      <span className="mt-0.5 inline-flex">
        <StateGlyph state={rule.raised > 0 ? "degraded" : "healthy"} size={13} />
      </span>
      <span className="min-w-0">
        {rule.raised > 0 ? t("raised", { count: rule.raised, of: rule.measured }) : t("calm", { of: rule.measured })}
        <span className="block truncate text-xs text-muted">
          {rule.direction === "above" ? t("highest", { name, value }) : t("lowest", { name, value })}
          {nearest.raisedSince !== null && (
            <>
              {" · "}
              <Elapsed since={nearest.raisedSince} />
            </>
          )}
        </span>
      </span>
    </span>
  );
}
