"use client";
import { useTranslations } from "next-intl";
import { useState } from "react";
import type { ClusterView } from "../../server/protocol/index.ts";
import { apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { useCodeText } from "../i18n/code-text.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Field, Input, Select } from "../ui/field.tsx";
import { Fact, Facts, Panel } from "../ui/panel.tsx";
import { RelativeTime } from "../ui/text.tsx";

/** Who acts: automation, its budget, and the two switches of maintenance. */
export function ClusterControls({ cluster }: { cluster: ClusterView }) {
  const t = useTranslations("cluster");
  const say = useCodeText();
  const all = useTranslations();
  const gate = useActionRefusal("operator");
  const [dialog, setDialog] = useState<"automation" | "maintenance" | null>(null);
  const { automation, budget, maintenance } = cluster;
  const known = all.has(`automation.reason.${automation.reason}` as "automation.on");
  return (
    <Panel title={t("automation")}>
      <Facts>
        <Fact name={t("automation")}>
          <strong>{t(`automationState.${automation.state}`)}</strong>
          <span className="text-muted">
            {" "}
            · {known ? say("automation.reason", automation.reason) : `${automation.by}: ${automation.reason}`}
          </span>
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
        <Button size="sm" refusal={gate} onClick={() => setDialog("maintenance")}>
          {maintenance === null ? t("startMaintenance") : t("endMaintenance")}
        </Button>
      </div>
      {dialog === "automation" && <AutomationDialog cluster={cluster} onClose={() => setDialog(null)} />}
      {dialog === "maintenance" && <MaintenanceDialog cluster={cluster} onClose={() => setDialog(null)} />}
    </Panel>
  );
}

function useChange(path: string, onClose: () => void) {
  const problem = useProblemText();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const send = async (body: object) => {
    setBusy(true);
    try {
      await apiSend("PUT", path, body);
      onClose();
    } catch (error) {
      const { title, text } = problem(error);
      setFailure(`${title} ${text}`);
      setBusy(false);
    }
  };
  return { busy, failure, send };
}

function AutomationDialog({ cluster, onClose }: { cluster: ClusterView; onClose: () => void }) {
  const t = useTranslations("cluster");
  const all = useTranslations("ui");
  const [reason, setReason] = useState("");
  const next = cluster.automation.state === "on" ? "held" : "on";
  const { busy, failure, send } = useChange(`clusters/${encodeURIComponent(cluster.id)}/automation`, onClose);
  return (
    <Dialog
      open
      onClose={onClose}
      path={cluster.id}
      title={next === "held" ? t("hold") : t("turnOn")}
      description={next === "held" ? t("holdText") : t("turnOnText")}
      footer={
        <>
          <Button onClick={onClose}>{all("cancel")}</Button>
          <Button
            variant="primary"
            busy={busy}
            refusal={reason.trim() === "" ? t("giveReason") : null}
            onClick={() => void send({ state: next, reason: reason.trim() })}
          >
            {next === "held" ? t("hold") : t("turnOn")}
          </Button>
        </>
      }
    >
      <Field label={t("reason")} error={failure}>
        {(ids) => <Input {...ids} value={reason} maxLength={200} onChange={(event) => setReason(event.target.value)} />}
      </Field>
    </Dialog>
  );
}

const hours = ["1", "4", "12", "0"] as const;

function MaintenanceDialog({ cluster, onClose }: { cluster: ClusterView; onClose: () => void }) {
  const t = useTranslations("cluster");
  const all = useTranslations("ui");
  const running = cluster.maintenance !== null;
  const [reason, setReason] = useState("");
  const [until, setUntil] = useState<string>("1");
  const [mute, setMute] = useState(true);
  const [hold, setHold] = useState(true);
  const { busy, failure, send } = useChange(`clusters/${encodeURIComponent(cluster.id)}/maintenance`, onClose);
  const save = () =>
    send({
      maintenance: running
        ? null
        : {
            muteAlerts: mute,
            holdAutomation: hold,
            reason: reason.trim(),
            until: until === "0" ? null : Date.now() + Number(until) * 3_600_000,
          },
    });
  const refusal = running ? null : reason.trim() === "" ? t("giveReason") : !mute && !hold ? t("chooseSwitch") : null;
  return (
    <Dialog
      open
      onClose={onClose}
      path={cluster.id}
      title={running ? t("endMaintenance") : t("startMaintenance")}
      description={running ? t("endMaintenanceText") : t("maintenanceText")}
      footer={
        <>
          <Button onClick={onClose}>{all("cancel")}</Button>
          <Button variant="primary" busy={busy} refusal={refusal} onClick={() => void save()}>
            {running ? t("endMaintenance") : t("startMaintenance")}
          </Button>
        </>
      }
    >
      {!running && (
        <div className="flex flex-col gap-3">
          <Switch label={t("muteAlerts")} checked={mute} onChange={setMute} />
          <Switch label={t("holdAutomation")} checked={hold} onChange={setHold} />
          <Field label={t("reason")}>
            {(ids) => (
              <Input {...ids} value={reason} maxLength={200} onChange={(event) => setReason(event.target.value)} />
            )}
          </Field>
          <Field label={t("duration")}>
            {(ids) => (
              <Select
                {...ids}
                value={until}
                onChange={(event) => setUntil(event.target.value)}
                options={hours.map((value) => ({
                  value,
                  label: value === "0" ? t("untilEnded") : t("hours", { count: Number(value) }),
                }))}
              />
            )}
          </Field>
        </div>
      )}
      {failure !== null && (
        <p role="alert" className="mt-2 text-danger-ink">
          {failure}
        </p>
      )}
    </Dialog>
  );
}

function Switch({ label, checked, onChange }: { label: string; checked: boolean; onChange: (value: boolean) => void }) {
  return (
    <label className="flex items-center gap-2">
      <input
        type="checkbox"
        checked={checked}
        onChange={(event) => onChange(event.target.checked)}
        className="focus-ring size-4 accent-accent"
      />
      {label}
    </label>
  );
}
