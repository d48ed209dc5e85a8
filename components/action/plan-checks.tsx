"use client";
import { useTranslations } from "next-intl";
import type { PlanView } from "../../server/protocol/index.ts";
import { useCodeText, useReasonText } from "../i18n/code-text.ts";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { useFormat } from "../ui/text.tsx";

const glyphs = { pass: "healthy", warn: "degraded", block: "down" } as const;

/** Every check with its value and its limit: none is hidden, whatever its outcome. */
export function PlanChecks({ plan }: { plan: Pick<PlanView, "checks"> }) {
  const t = useTranslations("action");
  const say = useCodeText();
  const count = (status: "pass" | "warn" | "block") => plan.checks.filter((check) => check.status === status).length;
  return (
    <section aria-label={t("checks")}>
      <header className="flex items-baseline justify-between py-1.5 text-xs font-semibold text-muted">
        <h3>{t("checks")}</h3>
        <span className="num" aria-live="polite">
          {t("counts", { pass: count("pass"), warn: count("warn"), block: count("block") })}
        </span>
      </header>
      <ul>
        {plan.checks.map((check) => (
          <li
            key={check.code}
            className="grid grid-cols-[1.25rem_1fr_auto_5.5rem] items-center gap-x-2 border-t border-line py-1.5"
          >
            <StateGlyph state={glyphs[check.status]} size={10} />
            <span>
              {say("check", check.code, check.data)}
              <span className="sr-only"> {t(`status.${check.status}`)}</span>
            </span>
            <CheckValue plan={check} />
            <span className="num truncate text-right text-xs text-muted">
              {check.limit === null ? "" : <Limit check={check} />}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

type Check = PlanView["checks"][number];

function CheckValue({ plan: check }: { plan: Check }) {
  const format = useFormat();
  const all = useTranslations();
  const { lagBytes, route } = check.data;
  const bytes = lagBytes ?? check.data.bytes;
  const text =
    typeof bytes === "number"
      ? format.bytes(bytes)
      : typeof route === "string"
        ? all(`fencing.${route}` as "fencing.agent")
        : check.value;
  return <span className="num text-right font-mono text-xs">{text}</span>;
}

function Limit({ check }: { check: Check }) {
  const format = useFormat();
  const match = /^≤ (\d+) B$/.exec(check.limit ?? "");
  return <>{match === null ? check.limit : `≤ ${format.bytes(Number(match[1]))}`}</>;
}

/** Who could take over, and why (not); a click chooses another. */
export function PlanCandidates({ plan, onChoose }: { plan: PlanView; onChoose: (node: string) => void }) {
  const t = useTranslations("action");
  const reason = useReasonText("candidate");
  const others = plan.candidates.filter((item) => item.reason.code !== "is-primary");
  return (
    <fieldset className="mt-3">
      <legend className="py-1.5 text-xs font-semibold text-muted">{t("target")}</legend>
      <div className="flex flex-col">
        {others.map((item) => (
          <label key={item.node} className="flex items-baseline gap-2.5 border-t border-line py-1.5">
            <input
              type="radio"
              name="target"
              value={item.node}
              checked={item.chosen}
              disabled={!item.eligible}
              onChange={() => onChoose(item.node)}
              className="focus-ring translate-y-0.5 accent-accent"
            />
            <span className="font-semibold">{item.node}</span>
            <span className="text-muted">{reason(item.reason)}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
