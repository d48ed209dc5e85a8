"use client";
import { usePathname, useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import type { LoadedMenuProps } from "../ui/lazy-menu.tsx";
import { Menu, MenuItem } from "../ui/menu.tsx";
import { places } from "./navigation.ts";

/** The places that a phone's bar has no room for. */
export function MorePlaces({ trigger, defaultOpen }: LoadedMenuProps) {
  const t = useTranslations("nav");
  const router = useRouter();
  const path = usePathname();
  return (
    <Menu trigger={trigger} defaultOpen={defaultOpen}>
      {places
        .filter((place) => place.onPhoneBar !== true)
        .map(({ id, href, icon: Icon, owns }) => (
          <MenuItem
            key={id}
            onSelect={() => router.push(href)}
            className={owns(path) ? "h-11 text-ink" : "h-11 text-muted"}
          >
            <Icon size={17} strokeWidth={1.75} aria-hidden />
            {t(id)}
          </MenuItem>
        ))}
    </Menu>
  );
}
