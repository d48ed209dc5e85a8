"use client";
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";
import { BrandMark } from "../shell/brand.tsx";
import { usePreferences } from "../shell/preferences.tsx";

/** The frame before anybody is signed in: the name, one card, the language. */
export function EntryFrame({ title, text, children }: { title: string; text?: ReactNode; children: ReactNode }) {
  const t = useTranslations("entry");
  const { locale, setLocale } = usePreferences();
  const other = locale === "en" ? "zh-CN" : "en";
  return (
    <main className="grid min-h-dvh place-items-center px-4 py-10">
      <div className="w-full max-w-96">
        <div className="mb-8 flex items-center justify-center gap-3 text-xl font-semibold">
          <BrandMark size={30} />
          Holdfast
        </div>
        <div className="rounded-lg border border-line bg-panel p-6">
          <h1 className="text-lg font-semibold">{title}</h1>
          {text !== undefined && <p className="mt-1 text-sm text-muted">{text}</p>}
          <div className="mt-5">{children}</div>
        </div>
        <div className="mt-6 flex items-center justify-between gap-4 text-xs text-muted">
          <span>{t("promise")}</span>
          <button
            type="button"
            lang={other}
            onClick={() => setLocale(other)}
            className="focus-ring shrink-0 rounded-sm hover:text-ink hover:underline"
          >
            {other === "en" ? "English" : "简体中文"}
          </button>
        </div>
      </div>
    </main>
  );
}
