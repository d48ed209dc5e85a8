"use client";
import { useMutation } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useRenewSession, useSession } from "../data/use-session.ts";
import { Button } from "../ui/button.tsx";
import { SkeletonLines } from "../ui/feedback.tsx";
import { Field, Input } from "../ui/field.tsx";
import { EntryFrame } from "./entry-frame.tsx";
import { safeNext, useFragmentToken } from "./use-fragment-token.ts";

/** Email and password, or a one-time link (`#once=`) that signs in by itself. */
export function SignInScreen() {
  const t = useTranslations("entry");
  const once = useFragmentToken("once");
  const session = useSession();
  const enter = useEnter();
  const used = useRef(false);
  const link = useMutation({
    // The session comes first: it carries the token that every change needs.
    mutationFn: async (token: string) => {
      await session.refetch();
      await apiSend("POST", "sign-in/once", { token });
    },
    onSuccess: enter,
  });
  useEffect(() => {
    if (typeof once !== "string" || used.current) return;
    used.current = true;
    link.mutate(once);
  }, [once, link]);
  const router = useRouter();
  useEffect(() => {
    if (once !== null || session.data === undefined) return;
    if (session.data.user !== null) enter();
    else if (session.data.setupNeeded) router.replace("/setup");
  }, [once, session.data, enter, router]);

  if (once === undefined || link.isPending || link.isSuccess) {
    return (
      <EntryFrame title={t("signingIn")}>
        <SkeletonLines lines={2} />
      </EntryFrame>
    );
  }
  return (
    <EntryFrame title={t("signIn")}>
      <PasswordForm linkError={link.error} onEntered={enter} />
    </EntryFrame>
  );
}

function useEnter(): () => Promise<void> {
  const renew = useRenewSession();
  const router = useRouter();
  const going = useRef(false);
  return async () => {
    if (going.current) return;
    going.current = true;
    try {
      await renew();
      router.replace(safeNext(new URLSearchParams(window.location.search).get("next")));
    } finally {
      going.current = false;
    }
  };
}

function PasswordForm({ linkError, onEntered }: { linkError: unknown; onEntered: () => void }) {
  const t = useTranslations("entry");
  const say = useProblemText();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const signIn = useMutation({
    mutationFn: () => apiSend("POST", "sign-in", { email, password }),
    onSuccess: onEntered,
  });
  const error = signIn.error ?? linkError;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!signIn.isPending) signIn.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      {error != null && (
        <p role="alert" className="rounded-md border border-danger px-3 py-2 text-sm">
          {say(error).text}
        </p>
      )}
      <Field label={t("email")}>
        {(ids) => (
          <Input
            {...ids}
            type="email"
            autoComplete="username"
            required
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        )}
      </Field>
      <Field label={t("password")}>
        {(ids) => (
          <Input
            {...ids}
            type="password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        )}
      </Field>
      <Button type="submit" variant="primary" busy={signIn.isPending}>
        {t("signIn")}
      </Button>
    </form>
  );
}
