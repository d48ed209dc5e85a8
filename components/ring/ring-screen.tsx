"use client";
import { useTranslations } from "next-intl";
import { parseAsString, useQueryState } from "nuqs";
import { type ReactNode, useState } from "react";
import { useActionRefusal } from "../data/use-session.ts";
import { useDocuments, useFreshness } from "../live/use-entities.ts";
import { Button } from "../ui/button.tsx";
import { EmptyState, Skeleton } from "../ui/feedback.tsx";
import { Select } from "../ui/field.tsx";
import { PageHeader } from "../ui/panel.tsx";
import { CopyLine } from "../ui/text.tsx";
import { KeySpaceScreen } from "./key-space-screen.tsx";
import { RegisterDialog } from "./register-dialog.tsx";
import { useChanges } from "./use-changes.ts";

/** Key spaces on rings: who owns what, where a key goes, what a change would move. */
export function RingScreen() {
  const t = useTranslations("ring");
  const spaces = useDocuments("key-space");
  const { ready } = useFreshness();
  const [wanted, setWanted] = useQueryState("space", parseAsString);
  const [, setChanges] = useChanges();
  const [registering, setRegistering] = useState(false);
  const gate = useActionRefusal("operator");
  const choose = (id: string) => {
    setChanges([]);
    void setWanted(id);
  };
  const space = spaces.find(({ id }) => id === wanted) ?? spaces[0];
  const register = (
    <Button variant={space === undefined ? "primary" : "secondary"} refusal={gate} onClick={() => setRegistering(true)}>
      {t("register.open")}
    </Button>
  );
  const header = (title: string, actions: ReactNode) => (
    <PageHeader
      crumbs={
        <span className="inline-flex items-center gap-2">
          {t("title")} /
          <Select
            aria-label={t("choose")}
            value={space?.id ?? ""}
            onChange={(event) => choose(event.target.value)}
            options={spaces.map(({ id }) => ({ value: id, label: id }))}
          />
        </span>
      }
      title={title}
      actions={
        <>
          {register}
          {actions}
        </>
      }
    />
  );
  return (
    <>
      {space === undefined ? (
        <>
          <PageHeader title={t("title")} subtitle={t("subtitle")} />
          {ready ? (
            <EmptyState
              title={t("none")}
              text={
                <>
                  <p className="mb-3">{t("noneHint")}</p>
                  <CopyLine label={t("command")} text='holdfast ring register carts.json --reason "new key space"' />
                </>
              }
              action={register}
            />
          ) : (
            <Skeleton className="h-96" />
          )}
        </>
      ) : (
        <KeySpaceScreen key={space.id} space={space} header={header} />
      )}
      <RegisterDialog
        open={registering}
        onClose={() => setRegistering(false)}
        onDone={(id) => {
          setRegistering(false);
          choose(id);
        }}
      />
    </>
  );
}
