"use client";
import { useTranslations } from "next-intl";
import { useState } from "react";
import type { ClusterView } from "../../server/protocol/index.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { MaintenanceDialog, useEndMaintenance } from "../node/maintenance-dialog.tsx";
import { useDurabilityText } from "../overview/cluster-panel.tsx";
import { Button } from "../ui/button.tsx";
import { Fact, Facts, Panel } from "../ui/panel.tsx";
import { RelativeTime } from "../ui/text.tsx";
import { AutomationDialog } from "./automation-dialog.tsx";
import { DurabilityDialog } from "./durability-dialog.tsx";
import { useAutomationReason } from "./use-automation-reason.ts";

/** Who acts: automation, its budget, and the two switches of maintenance. */
export function ClusterControls({ cluster }: { cluster: ClusterView }) {
  const t = useTranslations("cluster");
  const all = useTranslations();
  const gate = useActionRefusal("operator");
  const adminGate = useActionRefusal("admin");
  const durability = useDurabilityText(cluster);
  const [dialog, setDialog] = useState<"automation" | "maintenance" | "durability" | null>(null);
  const end = useEndMaintenance("clusters", cluster.id);
  const { automation, budget, maintenance } = cluster;
  const reason = useAutomationReason(automation);
  return (
    <Panel title={t("automation")}>
      <Facts>
        <Fact name={t("automation")}>
          <strong>{t(`automationState.${automation.state}`)}</strong>
          <span className="text-muted"> · {reason}</span>
        </Fact>
        <Fact name={t("budget")}>
          {t("budgetLeft", { left: Math.max(0, budget.of - budget.used), of: budget.of })}
          {budget.nextFreeAt !== null && (
            <span className="text-muted">
              {" "}
              · {t("nextFree")} <RelativeTime at={budget.nextFreeAt} />
            </span>
          )}
        </Fact>
        <Fact name={all("durability.name")}>{durability}</Fact>
        <Fact name={t("maintenance")}>
          {maintenance === null ? (
            t("none")
          ) : (
            <>
              {maintenance.muteAlerts && t("alertsMuted")} {maintenance.holdAutomation && t("automationHeld")} ·{" "}
              {maintenance.by}: {maintenance.reason}
              {maintenance.until !== null && (
                <>
                  {" "}
                  · {t("ends")} <RelativeTime at={maintenance.until} />
                </>
              )}
            </>
          )}
        </Fact>
      </Facts>
      <div className="mt-3 flex flex-wrap gap-2">
        <Button size="sm" refusal={gate} onClick={() => setDialog("automation")}>
          {automation.state === "on" ? t("hold") : t("turnOn")}
        </Button>
        <Button
          size="sm"
          refusal={gate}
          busy={end.isPending}
          onClick={() => (maintenance === null ? setDialog("maintenance") : end.mutate())}
        >
          {maintenance === null ? t("startMaintenance") : t("endMaintenance")}
        </Button>
        <Button size="sm" refusal={adminGate} onClick={() => setDialog("durability")}>
          {all("durability.change")}
        </Button>
      </div>
      {dialog === "automation" && (
        <AutomationDialog kind="clusters" id={cluster.id} automation={automation} onClose={() => setDialog(null)} />
      )}
      {dialog === "durability" && <DurabilityDialog cluster={cluster} onClose={() => setDialog(null)} />}
      <MaintenanceDialog
        open={dialog === "maintenance"}
        onClose={() => setDialog(null)}
        kind="clusters"
        id={cluster.id}
      />
    </Panel>
  );
}
