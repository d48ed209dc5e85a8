"use client";
import { Command } from "cmdk";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { useEntities } from "../live/use-entities.ts";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { Kbd } from "../ui/text.tsx";
import { places } from "./navigation.ts";
import { usePreferences } from "./preferences.tsx";

const MAX_ROWS = 12;
const group =
  "[&_[cmdk-group-heading]]:px-3 [&_[cmdk-group-heading]]:pt-3 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-2xs [&_[cmdk-group-heading]]:font-semibold [&_[cmdk-group-heading]]:text-muted";
const row = "mx-1.5 flex h-9 items-center gap-2.5 rounded-md px-2 text-sm data-[selected=true]:bg-raised";

/** ⌘K: every place, cluster, node and open incident by name. Loaded when first opened. */
export function Palette({ open, onClose, onHelp }: { open: boolean; onClose: () => void; onHelp: () => void }) {
  const t = useTranslations("palette");
  const nav = useTranslations("nav");
  const router = useRouter();
  const preferences = usePreferences();
  const [search, setSearch] = useState("");
  const clusters = useEntities("cluster");
  const nodes = useEntities("node");
  const incidents = useEntities("incident");
  const wanted = search.trim().toLowerCase();
  const matching = <T extends { readonly id: string }>(rows: readonly T[]) =>
    rows.filter((each) => each.id.toLowerCase().includes(wanted)).slice(0, MAX_ROWS);
  const go = (href: string) => {
    onClose();
    setSearch("");
    router.push(href);
  };
  const does = (run: () => void) => () => {
    onClose();
    setSearch("");
    run();
  };
  return (
    <Command.Dialog
      open={open}
      onOpenChange={(next) => !next && onClose()}
      label={t("label")}
      shouldFilter={false}
      overlayClassName="fixed inset-0 z-40 bg-scrim"
      contentClassName="enter-fade fixed top-[12vh] left-1/2 z-50 w-[min(36rem,calc(100vw-2rem))] -translate-x-1/2 overflow-hidden rounded-lg border border-line-strong bg-panel"
    >
      <Command.Input
        value={search}
        onValueChange={setSearch}
        placeholder={t("placeholder")}
        className="h-12 w-full border-b border-line bg-transparent px-4 text-base outline-none"
      />
      <Command.List className="max-h-[55vh] overflow-y-auto pb-2">
        <Command.Empty className="px-4 py-8 text-center text-sm text-muted">{t("empty")}</Command.Empty>
        <Group heading={t("places")}>
          {places
            .filter((place) => nav(place.id).toLowerCase().includes(wanted))
            .map((place) => (
              <Command.Item key={place.id} value={`place ${place.id}`} onSelect={() => go(place.href)} className={row}>
                <place.icon size={15} aria-hidden className="text-muted" />
                <span className="flex-1">{nav(place.id)}</span>
                <Kbd>g</Kbd>
                <Kbd>{place.key}</Kbd>
              </Command.Item>
            ))}
        </Group>
        <Group heading={t("incidents")}>
          {matching(incidents).map((incident) => (
            <Command.Item
              key={incident.id}
              value={`incident ${incident.id}`}
              onSelect={() => go(`/incidents/${incident.id}`)}
              className={row}
            >
              {incident.id}
              <span className="text-muted">{incident.cluster}</span>
            </Command.Item>
          ))}
        </Group>
        <Group heading={t("clusters")}>
          {matching(clusters).map((cluster) => (
            <Command.Item
              key={cluster.id}
              value={`cluster ${cluster.id}`}
              onSelect={() => go(`/clusters/${cluster.id}`)}
              className={row}
            >
              <StateGlyph state={cluster.state} />
              {cluster.id}
            </Command.Item>
          ))}
        </Group>
        <Group heading={t("nodes")}>
          {matching(nodes).map((node) => (
            <Command.Item
              key={node.id}
              value={`node ${node.id}`}
              onSelect={() => go(`/nodes/${node.id}`)}
              className={row}
            >
              <StateGlyph state={node.state} />
              {node.id}
              <span className="text-muted">{node.zone}</span>
            </Command.Item>
          ))}
        </Group>
        <Group heading={t("commands")}>
          {[
            { id: "dark", run: () => preferences.setTheme("dark") },
            { id: "light", run: () => preferences.setTheme("light") },
            { id: "zone", run: () => preferences.setZone(preferences.zone === "utc" ? "local" : "utc") },
            { id: "help", run: onHelp },
          ]
            .filter(({ id }) => t(`command.${id}`).toLowerCase().includes(wanted))
            .map(({ id, run }) => (
              <Command.Item key={id} value={`command ${id}`} onSelect={does(run)} className={row}>
                {t(`command.${id}`)}
              </Command.Item>
            ))}
        </Group>
      </Command.List>
    </Command.Dialog>
  );
}

function Group({ heading, children }: { heading: string; children: React.ReactNode[] }) {
  return children.length === 0 ? null : (
    <Command.Group heading={heading} className={group}>
      {children}
    </Command.Group>
  );
}
