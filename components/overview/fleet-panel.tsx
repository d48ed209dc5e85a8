"use client";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { FleetLegend } from "../fleet/fleet-legend.tsx";
import { FleetMap } from "../fleet/fleet-map.tsx";
import { useScopedHref } from "../shell/scope.ts";
import { Panel } from "../ui/panel.tsx";
import { SMALL_FLEET, SmallFleet } from "./small-fleet.tsx";
import { usePicture } from "./use-problems.ts";

/** The fleet at a glance; a cell opens its node. */
export function FleetPanel() {
  const t = useTranslations("fleet");
  const router = useRouter();
  const { nodes } = usePicture();
  const href = useScopedHref("/fleet");
  const zones = new Set(nodes.map((node) => node.zone)).size;
  return (
    <Panel
      title={t("title")}
      aside={
        <Link href={href} className="focus-ring hover:text-ink hover:underline">
          {t("toTable", { count: nodes.length })}
        </Link>
      }
    >
      {nodes.length <= SMALL_FLEET ? (
        <SmallFleet nodes={nodes} />
      ) : (
        <FleetMap
          nodes={nodes}
          groupBy={zones > 12 ? "none" : "zone"}
          maxHeight={300}
          minCell={4}
          onOpen={(id) => router.push(`/nodes/${encodeURIComponent(id)}`)}
          label={t("mapLabel", { count: nodes.length })}
        />
      )}
      <div className="mt-3">
        <FleetLegend nodes={nodes} />
      </div>
    </Panel>
  );
}
