"use client";
import { useTranslations } from "next-intl";
import { useState } from "react";
import type { ClusterView } from "../../server/protocol/index.ts";
import { ConfirmDialog } from "../action/confirmation.tsx";
import { apiSend } from "../data/api.ts";
import { Field, Input } from "../ui/field.tsx";
import { Segmented } from "../ui/tabs.tsx";
import { toast } from "../ui/toast.tsx";

/** As sizes are shown everywhere else. */
const megabyte = 1_000_000;

/** Changes what an acknowledged write is promised: on so many standbys, or on none within a limit. */
export function DurabilityDialog({ cluster, onClose }: { cluster: ClusterView; onClose: () => void }) {
  const t = useTranslations("durability");
  const now = cluster.durability;
  const standbys = Math.max(1, cluster.members.length - 1);
  const [mode, setMode] = useState<"sync" | "async">(now.mode);
  const [k, setK] = useState(String(now.mode === "sync" ? now.k : 1));
  const [limit, setLimit] = useState(String(now.mode === "async" ? Math.ceil(now.maxLagBytes / megabyte) : 16));
  const count = Number(k);
  const megabytes = Number(limit);
  const wrong =
    mode === "sync"
      ? !/^\d{1,2}$/.test(k) || count < 1 || count > standbys
        ? t("wrongStandbys", { count: standbys })
        : null
      : !/^\d{1,6}$/.test(limit) || megabytes < 1
        ? t("wrongLimit")
        : null;
  const wanted = mode === "sync" ? { mode, k: count } : ({ mode, maxLagBytes: megabytes * megabyte } as const);
  const same = JSON.stringify(wanted) === JSON.stringify(now) ? t("same") : null;
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      path={cluster.id}
      title={t("title")}
      text={t("text")}
      name={cluster.id}
      verb={t("run")}
      needs="admin"
      danger={mode === "async"}
      blocked={wrong ?? same}
      run={(values) =>
        apiSend("PUT", `clusters/${encodeURIComponent(cluster.id)}/durability`, { durability: wanted, ...values })
      }
      onDone={() => {
        toast(t("asked", { cluster: cluster.id }));
        onClose();
      }}
    >
      <div>
        <Segmented
          label={t("title")}
          value={mode}
          onChange={setMode}
          options={[
            { value: "sync", label: t("sync") },
            { value: "async", label: t("asynchronous") },
          ]}
        />
      </div>
      {mode === "sync" ? (
        <Field label={t("standbys")} hint={t("standbysHint", { count: standbys })}>
          {(ids) => (
            <Input {...ids} inputMode="numeric" value={k} onChange={(event) => setK(event.target.value.trim())} />
          )}
        </Field>
      ) : (
        <Field label={t("limit")} hint={t("limitHint")}>
          {(ids) => (
            <Input
              {...ids}
              inputMode="numeric"
              value={limit}
              onChange={(event) => setLimit(event.target.value.trim())}
            />
          )}
        </Field>
      )}
    </ConfirmDialog>
  );
}
