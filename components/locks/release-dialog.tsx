"use client";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { ConfirmDialog } from "../action/confirmation.tsx";
import { apiSend } from "../data/api.ts";
import { cleanText } from "../format/hostile-text.ts";
import { Fact, Facts } from "../ui/panel.tsx";
import { Mono, RelativeTime } from "../ui/text.tsx";
import { toast } from "../ui/toast.tsx";
import type { PlacedLock } from "./use-locks.ts";

/** Takes a lock away from its holder, as it was seen when the dialog opened: a later holder keeps it. */
export function ReleaseDialog({ lock, onClose }: { lock: PlacedLock; onClose: () => void }) {
  const t = useTranslations("locks.releaseDialog");
  const client = useQueryClient();
  const { holder, name, provider, waiters } = lock;
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      path={provider}
      title={t("title", { name })}
      text={t("text")}
      name={name}
      verb={t("confirm")}
      danger
      run={(values) => apiSend("POST", "locks/evict", { provider, name, token: holder?.token, ...values })}
      onDone={() => {
        toast(t("done", { name }));
        void client.invalidateQueries({ queryKey: ["locks"] });
        onClose();
      }}
    >
      <Facts>
        <Fact name={t("holder")}>{cleanText(holder?.label ?? "", 200)}</Fact>
        <Fact name={t("token")}>
          <Mono>{holder?.token}</Mono>
        </Fact>
        <Fact name={t("since")}>
          <RelativeTime at={holder?.since} />
        </Fact>
        <Fact name={t("next")}>{waiters[0] === undefined ? t("nobody") : cleanText(waiters[0].label, 200)}</Fact>
      </Facts>
    </ConfirmDialog>
  );
}
