"use client";
import { Ellipsis, PanelLeftClose, PanelLeftOpen } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useTranslations } from "next-intl";
import { classes } from "../ui/classes.ts";
import { LazyMenu } from "../ui/lazy-menu.tsx";
import { Tooltip } from "../ui/tooltip.tsx";
import { BrandMark } from "./brand.tsx";
import { type Place, places } from "./navigation.ts";
import { usePreferences } from "./preferences.tsx";
import { useScopedHref } from "./scope.ts";

/** Left rail: 56 px of icons, 220 px with words; a bar at the bottom on phones. */
export function Rail() {
  const t = useTranslations("nav");
  const { railOpen, setRailOpen } = usePreferences();
  const Toggle = railOpen ? PanelLeftClose : PanelLeftOpen;
  return (
    <nav
      aria-label={t("label")}
      className={classes(
        "fixed inset-x-0 bottom-0 z-30 flex h-14 border-t border-line bg-page pb-[env(safe-area-inset-bottom)]",
        "md:sticky md:inset-auto md:top-0 md:h-dvh md:shrink-0 md:flex-col md:border-t-0 md:border-r md:pb-0",
        railOpen ? "md:w-55" : "md:w-14",
      )}
    >
      <Link
        href="/"
        className="focus-ring hidden h-12 items-center gap-2.5 px-4 text-base font-semibold md:flex"
        aria-label="Holdfast"
      >
        <BrandMark />
        {railOpen && "Holdfast"}
      </Link>
      <ul className="flex flex-1 justify-between md:mt-2 md:min-h-0 md:flex-col md:justify-start md:gap-1 md:overflow-y-auto md:px-2.5">
        {places.map((place) => (
          <RailItem key={place.id} place={place} open={railOpen} />
        ))}
        <li className="flex-1 md:hidden">
          <More />
        </li>
      </ul>
      <div className="hidden p-2.5 md:block">
        <Tooltip text={railOpen ? t("collapse") : t("expand")} side="right">
          <button
            type="button"
            aria-label={railOpen ? t("collapse") : t("expand")}
            aria-expanded={railOpen}
            onClick={() => setRailOpen(!railOpen)}
            className="focus-ring inline-flex size-9 items-center justify-center rounded-md text-muted hover:bg-raised hover:text-ink"
          >
            <Toggle size={17} aria-hidden />
          </button>
        </Tooltip>
      </div>
    </nav>
  );
}

const loadMore = () => import("./more-places.tsx").then((module) => module.MorePlaces);

function More() {
  const t = useTranslations("nav");
  const path = usePathname();
  const here = places.some((place) => place.onPhoneBar !== true && place.owns(path));
  return (
    <LazyMenu
      load={loadMore}
      trigger={
        <button
          type="button"
          aria-current={here ? "page" : undefined}
          className={classes(
            "focus-ring flex h-14 w-full flex-col items-center justify-center gap-0.5 text-2xs",
            here ? "text-ink" : "text-muted",
          )}
        >
          <Ellipsis size={17} aria-hidden />
          {t("more")}
        </button>
      }
    />
  );
}

function RailItem({ place, open }: { place: Place; open: boolean }) {
  const t = useTranslations("nav");
  const path = usePathname();
  const href = useScopedHref(place.href);
  const here = place.owns(path);
  const Icon = place.icon;
  const link = (
    <Link
      href={href}
      aria-current={here ? "page" : undefined}
      className={classes(
        "focus-ring flex h-14 min-w-16 flex-col md:min-w-0 items-center justify-center gap-0.5 text-2xs md:h-9 md:flex-row md:justify-start md:gap-3 md:rounded-md md:px-2.5 md:text-sm",
        here ? "text-ink md:bg-raised" : "text-muted hover:text-ink md:hover:bg-raised",
      )}
    >
      <Icon size={17} strokeWidth={1.75} aria-hidden className="shrink-0" />
      <span className={open ? undefined : "md:sr-only"}>{t(place.id)}</span>
    </Link>
  );
  return (
    <li className={place.onPhoneBar === true ? "flex-1 md:flex-none" : "hidden md:block"}>
      {open ? (
        link
      ) : (
        <Tooltip text={t(place.id)} side="right">
          {link}
        </Tooltip>
      )}
    </li>
  );
}
