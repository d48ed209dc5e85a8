"use client";
import { ChevronDown, Search } from "lucide-react";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useNow } from "../live/use-now.ts";
import { useProblems } from "../overview/use-problems.ts";
import { classes } from "../ui/classes.ts";
import { LazyMenu } from "../ui/lazy-menu.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { useFormat } from "../ui/text.tsx";
import { Tooltip } from "../ui/tooltip.tsx";
import { AutomationChip } from "./automation-chip.tsx";
import { ConnectionChip } from "./connection-chip.tsx";
import { usePreferences } from "./preferences.tsx";
import { useScope, useScopedHref } from "./scope.ts";
import { UserMenu } from "./user-menu.tsx";

export const chip =
  "focus-ring num inline-flex h-7 shrink-0 items-center gap-2 rounded-full border border-line px-3 text-xs whitespace-nowrap text-ink hover:border-line-strong";

/** 48 px: where we look, how fresh it is, what is wrong, who acts, how to get elsewhere. */
export function TopBar({ onPalette }: { onPalette: () => void }) {
  const t = useTranslations("top");
  return (
    <header className="sticky top-0 z-20 flex h-12 items-center gap-2 border-b border-line bg-page px-3 md:px-5">
      <ScopeMenu />
      <div className="flex-1" />
      <ProblemsChip />
      <ConnectionChip />
      <div className="hidden sm:block">
        <AutomationChip />
      </div>
      <button type="button" onClick={onPalette} className={classes(chip, "text-muted")} aria-label={t("palette")}>
        <Search size={13} aria-hidden className="sm:hidden" />
        <span className="hidden sm:inline">⌘K</span>
      </button>
      <div className="hidden md:block">
        <ClockChip />
      </div>
      <UserMenu />
    </header>
  );
}

const loadScopeMenu = () => import("./scope-menu-content.tsx").then((module) => module.ScopeMenuContent);

function ScopeMenu() {
  const t = useTranslations("top");
  const [scope] = useScope();
  return (
    <LazyMenu
      load={loadScopeMenu}
      trigger={
        <button
          type="button"
          className={classes(chip, "min-w-0 shrink")}
          aria-label={t("scopeNow", { scope: scope ?? t("allClusters") })}
        >
          <span className="truncate">{scope ?? t("allClusters")}</span>
          <ChevronDown size={13} aria-hidden className="shrink-0 text-muted" />
        </button>
      }
    />
  );
}

function ProblemsChip() {
  const t = useTranslations("top");
  const problems = useProblems();
  const href = useScopedHref("/");
  const worst = problems[0];
  if (worst === undefined) return null;
  return (
    <Link href={`${href}#problems`} className={chip}>
      <StateGlyph state={worst.state} withWord />
      <span className="sm:hidden">{problems.length}</span>
      <span className="hidden sm:inline">{t("problems", { count: problems.length })}</span>
    </Link>
  );
}

function ClockChip() {
  const t = useTranslations("top");
  const now = useNow(1_000);
  const format = useFormat();
  const { zone, setZone } = usePreferences();
  return (
    <Tooltip text={zone === "utc" ? t("toLocal") : t("toUtc")} side="bottom">
      <button
        type="button"
        className={classes(chip, "min-w-29 justify-center")}
        onClick={() => setZone(zone === "utc" ? "local" : "utc")}
      >
        {now === 0 ? "" : `${zone === "utc" ? "UTC" : t("local")} ${format.clock(now, now)}`}
      </button>
    </Tooltip>
  );
}
