"use client";
import { CircleUser } from "lucide-react";
import { useTranslations } from "next-intl";
import { LazyMenu } from "../ui/lazy-menu.tsx";

const load = () => import("./user-menu-content.tsx").then((module) => module.UserMenuContent);

/** Who is signed in, how they like to look at it, and the way out. */
export function UserMenu() {
  const t = useTranslations("user");
  return (
    <LazyMenu
      load={load}
      trigger={
        <button
          type="button"
          aria-label={t("menu")}
          className="focus-ring inline-flex size-8 shrink-0 items-center justify-center rounded-md text-muted hover:bg-raised hover:text-ink"
        >
          <CircleUser size={18} aria-hidden />
        </button>
      }
    />
  );
}
