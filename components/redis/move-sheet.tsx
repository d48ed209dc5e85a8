"use client";
import { useQuery } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { parseAsString, useQueryStates } from "nuqs";
import { useState } from "react";
import type { RedisPlanView } from "../../server/protocol/index.ts";
import { ConfirmForm } from "../action/confirmation.tsx";
import { PlanChecks } from "../action/plan-checks.tsx";
import { apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { Sheet } from "../ui/dialog.tsx";
import { ErrorState, SkeletonLines } from "../ui/feedback.tsx";
import { Field, Input, Select } from "../ui/field.tsx";
import { Table, Td, Th, Tr } from "../ui/table.tsx";
import { CopyLine, useFormat } from "../ui/text.tsx";
import { toast } from "../ui/toast.tsx";

/** Slots of a Redis Cluster: more in a second can't move. */
const maxRate = 16_384;
const kinds = ["rebalance", "drain", "reverse", "close"] as const;
type Kind = (typeof kinds)[number];

/** The sheet's address: `?move=drain&shard=redis-1`. */
export function useMoveSheet() {
  const [state, set] = useQueryStates({ move: parseAsString, shard: parseAsString }, { history: "push" });
  const kind = kinds.find((each) => each === state.move) ?? null;
  return {
    kind,
    shard: state.shard,
    plan: (move: Kind, shard: string | null = null) => void set({ move, shard }),
    close: () => void set({ move: null, shard: null }),
  };
}

/** What moving slots would do, every check, and the typed confirmation that begins it. */
export function MoveSheet({ id, conflict }: { id: string; conflict: boolean }) {
  const t = useTranslations("redis");
  const sheet = useMoveSheet();
  const problem = useProblemText();
  const plan = useQuery({
    queryKey: ["redis-plan", id, sheet.kind, sheet.shard],
    queryFn: () =>
      apiSend<RedisPlanView>("POST", `redis/${encodeURIComponent(id)}/plan`, {
        migration: sheet.kind,
        shard: sheet.shard,
      }),
    enabled: sheet.kind !== null,
    // Checks are judged anew while the sheet is open.
    refetchInterval: 2_000,
  });
  return (
    <Sheet
      open={sheet.kind !== null}
      onClose={sheet.close}
      path={`${t("clusters")} / ${id}`}
      title={sheet.kind === null ? "" : t(`moveTitle.${sheet.kind}`, { server: sheet.shard ?? "" })}
      width="36rem"
    >
      {plan.isError ? (
        <ErrorState {...problem(plan.error)} onRetry={() => void plan.refetch()} />
      ) : plan.data === undefined || plan.data.migration !== sheet.kind ? (
        <SkeletonLines lines={8} />
      ) : (
        <MoveForm plan={plan.data} shard={sheet.shard} conflict={conflict} onDone={sheet.close} />
      )}
    </Sheet>
  );
}

interface MoveFormProps {
  readonly plan: RedisPlanView;
  readonly shard: string | null;
  /** The last move ended at a key with two values: which one stays has to be said. */
  readonly conflict: boolean;
  readonly onDone: () => void;
}

function MoveForm({ plan, shard, conflict, onDone }: MoveFormProps) {
  const t = useTranslations("redis");
  const format = useFormat();
  const [rate, setRate] = useState("");
  const [keep, setKeep] = useState<"" | "source" | "target">("");
  const limit = /^\d+$/.test(rate.trim()) ? Number(rate) : null;
  const rateRefused = rate.trim() !== "" && (limit === null || limit < 1 || limit > maxRate);
  const rateFlag = limit === null ? "" : ` --rate ${limit}`;
  const keepFlag = keep === "" ? "" : ` --keep ${keep === "source" ? "giving" : "receiving"}`;
  const begin = async (values: { confirm: string; reason: string }) => {
    const { migration, planHash, cluster } = plan;
    const body = { migration, shard, planHash, maxSlotsPerSecond: limit, keep: keep === "" ? null : keep, ...values };
    await apiSend("POST", `redis/${encodeURIComponent(cluster)}/migrations`, body);
    toast(t("begun"));
    onDone();
  };
  return (
    <>
      <p className="text-muted">
        {t("moveText", {
          slots: plan.slotsToMove,
          keys: format.number(plan.keysToMove),
          bytes: format.bytes(plan.bytesToMove),
        })}
      </p>
      <Table label={t("beforeAfter")} className="my-3">
        <thead>
          <tr>
            {(["server", "before", "after"] as const).map((column) => (
              <Th key={column}>{t(`column.${column}`)}</Th>
            ))}
          </tr>
        </thead>
        <tbody>
          {plan.before.map((before) => (
            <Tr key={before.shard}>
              <Td>{before.shard}</Td>
              <Td className="num">{format.number(before.slots)}</Td>
              <Td className="num">
                {format.number(plan.after.find((each) => each.shard === before.shard)?.slots ?? 0)}
              </Td>
            </Tr>
          ))}
        </tbody>
      </Table>
      <PlanChecks plan={plan} />
      <div className="mt-3">
        <CopyLine text={`${plan.command}${rateFlag}${keepFlag}`} label={t("command")} />
      </div>
      <ConfirmForm
        name={plan.cluster}
        blocked={plan.runnable ? (rateRefused ? t("rateRange") : null) : t("blocked")}
        verb={t("begin")}
        run={begin}
        onCancel={onDone}
      >
        <Field
          label={t("rateLabel")}
          hint={
            limit === null || rateRefused
              ? t("rateHint")
              : t("rateTakes", { time: format.duration((plan.slotsToMove * 1_000) / limit) })
          }
          error={rateRefused ? t("rateRange") : undefined}
        >
          {(ids) => (
            <Input
              {...ids}
              value={rate}
              inputMode="numeric"
              autoComplete="off"
              placeholder={t("rateNone")}
              onChange={(event) => setRate(event.target.value)}
            />
          )}
        </Field>
        {conflict && (
          <Field label={t("keepLabel")} hint={t("keepHint")}>
            {(ids) => (
              <Select
                {...ids}
                value={keep}
                options={(["", "source", "target"] as const).map((value) => ({
                  value,
                  label: t(`keep.${value === "" ? "none" : value}`),
                }))}
                onChange={(event) => setKeep(event.target.value as typeof keep)}
              />
            )}
          </Field>
        )}
      </ConfirmForm>
    </>
  );
}
