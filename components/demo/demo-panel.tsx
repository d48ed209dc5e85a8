"use client";
import { useMutation } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { useEntities, useSystem } from "../live/use-entities.ts";
import { Button } from "../ui/button.tsx";
import { Select } from "../ui/field.tsx";
import { Panel } from "../ui/panel.tsx";
import { toast } from "../ui/toast.tsx";
import { Tooltip } from "../ui/tooltip.tsx";

const BLIP_MS = 800;
/** Faults of the whole installation or made elsewhere: not buttons of this panel. */
const notHere: ReadonlySet<string> = new Set(["switchover", "ctl", "heal"]);
/** Faults of the demo's web shop: its supervisor knows where each of them happens. */
const shopFaults: ReadonlySet<string> = new Set([
  "slow",
  "exception",
  "cpu",
  "leak",
  "disk",
  "pool",
  "release",
  "index",
]);

/** Break something: only where the demo runs, on the demo's own nodes. */
export function DemoPanel() {
  const t = useTranslations("demo");
  const system = useSystem();
  const clusters = useEntities("cluster");
  const cluster = clusters[0];
  const [chosen, setChosen] = useState("");
  const refusal = useActionRefusal("operator");
  const say = useProblemText();
  const members = [...(cluster?.members ?? [])].sort((a, b) => (a.node < b.node ? -1 : 1));
  const target = chosen === "" ? (cluster?.primary ?? null) : chosen;
  const hurt = members.filter((member) => member.state === "down" || member.state === "unknown");

  const inject = useMutation({
    mutationFn: (request: { fault: string; node?: string }) =>
      apiSend("POST", "demo/faults", { ...request, ...(request.fault === "blip" ? { ms: BLIP_MS } : {}) }),
    onSuccess: (_answer, { fault, node }) =>
      toast(
        node === undefined
          ? t(fault === "heal" ? "shopHealed" : "shopInjected", { fault: t(`fault.${fault}.name`) })
          : t(fault === "heal" ? "healed" : "injected", { fault: t(`fault.${fault}.name`), node }),
      ),
    onError: (error) => {
      const { title, text } = say(error);
      toast.error(title, { description: text });
    },
  });

  if (system?.demo == null) return null;
  const faults = system.demo.faults.filter((fault) => !notHere.has(fault) && !shopFaults.has(fault));
  const ofShop = system.demo.faults.filter((fault) => shopFaults.has(fault));
  const why = refusal ?? (target === null ? t("noPrimary") : null);
  return (
    <Panel
      title={t("title")}
      aside={
        <div className="flex items-center gap-2">
          <span aria-hidden className="whitespace-nowrap">
            {t("target")}
          </span>
          <Select
            aria-label={t("targetLabel")}
            value={chosen}
            onChange={(event) => setChosen(event.target.value)}
            className="h-7 w-auto text-xs"
            options={[
              { value: "", label: t("primary", { node: cluster?.primary ?? "–" }) },
              ...members.map((member) => ({ value: member.node, label: member.node })),
            ]}
          />
        </div>
      }
    >
      <div className="flex flex-wrap gap-2">
        {faults.map((fault) => (
          <FaultButton
            key={fault}
            fault={fault}
            refusal={why}
            busy={inject.isPending}
            onPress={() => target !== null && inject.mutate({ fault, node: target })}
          />
        ))}
      </div>
      {ofShop.length > 0 && (
        <div className="mt-3 border-t border-line pt-3">
          <p className="mb-2 text-xs text-muted">{t("shop")}</p>
          <div className="flex flex-wrap gap-2">
            {ofShop.map((fault) => (
              <FaultButton
                key={fault}
                fault={fault}
                refusal={refusal}
                busy={inject.isPending}
                onPress={() => inject.mutate({ fault })}
              />
            ))}
            <Tooltip text={t("shopHealHint")}>
              <Button
                size="sm"
                variant="primary"
                refusal={refusal}
                busy={inject.isPending}
                onClick={() => inject.mutate({ fault: "heal" })}
                data-fault="heal"
              >
                {t("shopHeal")}
              </Button>
            </Tooltip>
          </div>
        </div>
      )}
      {hurt.length > 0 && (
        <div className="mt-3 flex flex-wrap items-center gap-2 border-t border-line pt-3">
          {hurt.map((member) => (
            <Tooltip key={member.node} text={t("fault.heal.hint")}>
              <Button
                size="sm"
                variant="primary"
                refusal={refusal}
                busy={inject.isPending}
                onClick={() => inject.mutate({ fault: "heal", node: member.node })}
              >
                {t("heal", { node: member.node })}
              </Button>
            </Tooltip>
          ))}
        </div>
      )}
    </Panel>
  );
}

function FaultButton({
  fault,
  refusal,
  busy,
  onPress,
}: {
  fault: string;
  refusal: string | null;
  busy: boolean;
  onPress: () => void;
}) {
  const t = useTranslations("demo");
  const hint = t.has(`fault.${fault}.hint`) ? t(`fault.${fault}.hint`) : fault;
  const button = (
    <Button size="sm" refusal={refusal} busy={busy} onClick={onPress} data-fault={fault}>
      {t.has(`fault.${fault}.name`) ? t(`fault.${fault}.name`) : fault}
    </Button>
  );
  return refusal === null ? <Tooltip text={hint}>{button}</Tooltip> : button;
}
