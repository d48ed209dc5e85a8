"use client";
import { useTranslations } from "next-intl";
import { compareNatural } from "../format/natural-order.ts";
import { useEntities } from "../live/use-entities.ts";
import type { LoadedMenuProps } from "../ui/lazy-menu.tsx";
import { Menu, MenuChoices } from "../ui/menu.tsx";
import { useScope } from "./scope.ts";

/** All clusters, or one of them. */
export function ScopeMenuContent({ trigger, defaultOpen }: LoadedMenuProps) {
  const t = useTranslations("top");
  const clusters = useEntities("cluster");
  const [scope, setScope] = useScope();
  const names = clusters.map((cluster) => cluster.id).sort(compareNatural);
  return (
    <Menu align="start" trigger={trigger} defaultOpen={defaultOpen}>
      <MenuChoices
        label={t("scope")}
        value={scope ?? ""}
        onChange={(value) => setScope(value === "" ? null : value)}
        options={[{ value: "", label: t("allClusters") }, ...names.map((name) => ({ value: name, label: name }))]}
      />
    </Menu>
  );
}
