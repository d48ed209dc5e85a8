"use client";
import { useMutation } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { type FormEvent, useEffect, useState } from "react";
import { apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useRenewSession, useSession } from "../data/use-session.ts";
import { Button } from "../ui/button.tsx";
import { Field, Input } from "../ui/field.tsx";
import { EntryFrame } from "./entry-frame.tsx";
import { useFragmentToken } from "./use-fragment-token.ts";

const LEAST_PASSWORD = 10;

/** The first administrator, with the one-time link that the server printed (`#token=`). */
export function SetupScreen() {
  const t = useTranslations("entry");
  const token = useFragmentToken("token");
  const session = useSession();
  const router = useRouter();
  const done = session.data !== undefined && !session.data.setupNeeded;
  useEffect(() => {
    if (done) router.replace("/");
  }, [done, router]);
  return (
    <EntryFrame title={t("setupTitle")} text={t("setupText")}>
      {token === null ? (
        <div className="flex flex-col gap-2 text-sm text-muted">
          <p className="font-medium text-ink">{t("noTokenTitle")}</p>
          <p>{t("noTokenText")}</p>
        </div>
      ) : (
        <SetupForm token={token ?? ""} />
      )}
    </EntryFrame>
  );
}

function SetupForm({ token }: { token: string }) {
  const t = useTranslations("entry");
  const say = useProblemText();
  const renew = useRenewSession();
  const router = useRouter();
  const [form, setForm] = useState({ name: "", email: "", password: "" });
  const [tried, setTried] = useState(false);
  const setup = useMutation({
    mutationFn: () => apiSend("POST", "setup", { token, ...form }),
    onSuccess: async () => {
      await renew();
      router.replace("/");
    },
  });
  const short = form.password.length < LEAST_PASSWORD;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!short && !setup.isPending) setup.mutate();
  };
  const set = (name: keyof typeof form) => (event: { target: { value: string } }) =>
    setForm((before) => ({ ...before, [name]: event.target.value }));
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      {setup.error != null && (
        <p role="alert" className="rounded-md border border-danger px-3 py-2 text-sm">
          {say(setup.error).text}
        </p>
      )}
      <Field label={t("name")}>
        {(ids) => (
          <Input {...ids} autoComplete="name" required maxLength={100} value={form.name} onChange={set("name")} />
        )}
      </Field>
      <Field label={t("email")}>
        {(ids) => (
          <Input {...ids} type="email" autoComplete="username" required value={form.email} onChange={set("email")} />
        )}
      </Field>
      <Field
        label={t("password")}
        hint={t("passwordHint", { least: LEAST_PASSWORD })}
        error={tried && short ? t("passwordShort", { least: LEAST_PASSWORD }) : undefined}
      >
        {(ids) => (
          <Input
            {...ids}
            type="password"
            autoComplete="new-password"
            required
            maxLength={200}
            value={form.password}
            onChange={set("password")}
          />
        )}
      </Field>
      <Button type="submit" variant="primary" busy={setup.isPending}>
        {t("createAdmin")}
      </Button>
    </form>
  );
}
