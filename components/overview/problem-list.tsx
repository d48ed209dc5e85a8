"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { useCodeText } from "../i18n/code-text.ts";
import { useKey } from "../shell/use-shortcuts.ts";
import { Button, buttonClasses } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { Elapsed } from "../ui/text.tsx";
import type { Problem } from "./problems.ts";
import { useProblems } from "./use-problems.ts";

const SHOWN = 5;

/** What needs a person, most urgent first; `j`/`k` walk, Enter opens. */
export function ProblemList() {
  const t = useTranslations("problems");
  const problems = useProblems();
  const [all, setAll] = useState(false);
  const shown = all ? problems : problems.slice(0, SHOWN);
  const walk = (step: number) => {
    const links = [...document.querySelectorAll<HTMLElement>("[data-problem-link]")];
    const at = links.indexOf(document.activeElement as HTMLElement);
    links[Math.min(links.length - 1, Math.max(0, at + step))]?.focus();
  };
  useKey("j", () => walk(1));
  useKey("k", () => walk(-1));
  return (
    <Panel id="problems" title={t("title")} aside={problems.length > 1 ? t("order") : undefined}>
      {problems.length === 0 ? (
        <div className="flex items-center gap-3 border-t border-line pt-4 pb-1">
          <StateGlyph state="healthy" size={14} withWord />
          <div>
            <p className="font-medium">{t("none")}</p>
            <p className="text-muted">{t("noneHint")}</p>
          </div>
        </div>
      ) : (
        <ul>
          {shown.map((problem, index) => (
            <ProblemRow key={problem.key} problem={problem} loud={index === 0 && problem.state === "down"} />
          ))}
        </ul>
      )}
      {problems.length > shown.length && (
        <Button variant="quiet" size="sm" onClick={() => setAll(true)} className="mt-1">
          {t("more", { count: problems.length - shown.length })}
        </Button>
      )}
    </Panel>
  );
}

/** `loud`: the one place on the screen that asks for the eye. */
function ProblemRow({ problem, loud }: { problem: Problem; loud: boolean }) {
  const t = useTranslations("problems");
  const say = useCodeText();
  return (
    <li className="flex items-center gap-3 border-t border-line py-2.5">
      <span className="inline-flex w-4 shrink-0 justify-center">
        <StateGlyph state={problem.state} size={14} />
      </span>
      <div className="min-w-0 flex-1">
        <p className="font-semibold break-words">
          {say(problem.title.namespace, problem.title.code, problem.title.data)}
        </p>
        {problem.text && (
          <p className="text-muted break-words">{say(problem.text.namespace, problem.text.code, problem.text.data)}</p>
        )}
      </div>
      <span className="hidden shrink-0 text-muted sm:inline">
        <Elapsed since={problem.since} />
      </span>
      <Link
        href={problem.href}
        data-problem-link
        className={classes(buttonClasses(loud ? "primary" : "secondary"), "min-w-24")}
      >
        {t(`button.${problem.button}`)}
      </Link>
    </li>
  );
}
