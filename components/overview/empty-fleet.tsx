"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { buttonClasses } from "../ui/button.tsx";
import { EmptyState } from "../ui/feedback.tsx";
import { Panel } from "../ui/panel.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";

/** Nothing is watched yet: the one thing to do next. */
export function EmptyFleet() {
  const t = useTranslations("overview");
  return (
    <Panel>
      <EmptyState
        glyph={<StateGlyph state="unknown" size={28} withWord />}
        title={t("emptyTitle")}
        text={t("emptyText")}
        action={
          <Link href="/nodes/add" className={buttonClasses("primary")}>
            {t("emptyAction")}
          </Link>
        }
      />
    </Panel>
  );
}
