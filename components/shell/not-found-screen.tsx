"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { buttonClasses } from "../ui/button.tsx";
import { EmptyState } from "../ui/feedback.tsx";

export function NotFoundScreen() {
  const t = useTranslations("notFound");
  return (
    <main className="grid min-h-dvh place-items-center">
      <EmptyState
        title={t("title")}
        text={t("text")}
        action={
          <Link href="/" className={buttonClasses()}>
            {t("home")}
          </Link>
        }
      />
    </main>
  );
}
