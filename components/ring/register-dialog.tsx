"use client";
import { useMutation } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { type ComponentPropsWithRef, type FormEvent, useState } from "react";
import { apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Field, Input } from "../ui/field.tsx";
import { parseNodes } from "./parse-nodes.ts";

/** A new key space: its name, one node a line, and what lies in it. */
export function RegisterDialog({
  open,
  onClose,
  onDone,
}: {
  open: boolean;
  onClose: () => void;
  onDone: (id: string) => void;
}) {
  const t = useTranslations("ring");
  const ui = useTranslations("ui");
  const say = useProblemText();
  const gate = useActionRefusal("operator");
  const [id, setId] = useState("");
  const [text, setText] = useState("");
  const [copies, setCopies] = useState("1");
  const [keys, setKeys] = useState("");
  const [bytes, setBytes] = useState("");
  const [reason, setReason] = useState("");
  const { nodes, wrongLine } = parseNodes(text);
  const register = useMutation({
    mutationFn: () =>
      apiSend("POST", "rings", {
        id,
        nodes,
        copies: Number(copies),
        keys: readCount(keys),
        bytes: readCount(bytes),
        reason,
      }),
    onSuccess: () => onDone(id),
  });
  const refusal =
    gate ??
    (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(id)
      ? t("register.nameWrong")
      : wrongLine !== null
        ? t("register.lineWrong", { line: wrongLine })
        : nodes.length === 0
          ? t("register.noNodes")
          : !/^[1-7]$/.test(copies)
            ? t("register.copiesWrong")
            : Number.isNaN(readCount(keys)) || Number.isNaN(readCount(bytes))
              ? t("register.countWrong")
              : reason.trim() === ""
                ? t("giveReason")
                : null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (refusal === null && !register.isPending) register.mutate();
  };
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t("register.title")}
      description={t("register.text")}
      footer={
        <>
          <Button onClick={onClose}>{ui("cancel")}</Button>
          <Button variant="primary" type="submit" form="register-key-space" refusal={refusal} busy={register.isPending}>
            {t("register.do")}
          </Button>
        </>
      }
    >
      <form id="register-key-space" onSubmit={submit} className="flex flex-col gap-4">
        {register.error !== null && (
          <p role="alert" className="rounded-md border border-danger px-3 py-2 text-sm">
            {say(register.error).text}
          </p>
        )}
        <Text label={t("register.name")} value={id} onChange={setId} placeholder="carts" />
        <Field
          label={t("register.nodes")}
          hint={t("register.nodesHint")}
          error={wrongLine === null ? undefined : t("register.lineWrong", { line: wrongLine })}
        >
          {(ids) => (
            <textarea
              {...ids}
              rows={5}
              value={text}
              spellCheck={false}
              placeholder={"cache-1 1 east\ncache-2 1 west\ncache-3 2 west"}
              onChange={(event) => setText(event.target.value)}
              className="focus-ring w-full rounded-md border border-line bg-well px-2.5 py-1.5 font-mono text-xs text-ink hover:border-line-strong aria-invalid:border-danger"
            />
          )}
        </Field>
        <div className="grid grid-cols-3 gap-3">
          <Text label={t("register.copies")} value={copies} onChange={setCopies} inputMode="numeric" />
          <Text label={t("register.keys")} value={keys} onChange={setKeys} inputMode="numeric" placeholder="–" />
          <Text label={t("register.bytes")} value={bytes} onChange={setBytes} inputMode="numeric" placeholder="–" />
        </div>
        <Text label={t("reason")} value={reason} onChange={setReason} />
      </form>
    </Dialog>
  );
}

function Text({
  label,
  onChange,
  ...rest
}: Omit<ComponentPropsWithRef<"input">, "onChange"> & { label: string; onChange: (value: string) => void }) {
  return (
    <Field label={label}>
      {(ids) => <Input {...ids} {...rest} autoComplete="off" onChange={(event) => onChange(event.target.value)} />}
    </Field>
  );
}

/** Null: not said; NaN: not a number. */
function readCount(text: string): number | null {
  const plain = text.replaceAll(/[ ,_]/g, "");
  return plain === "" ? null : /^\d{1,15}$/.test(plain) ? Number(plain) : Number.NaN;
}
