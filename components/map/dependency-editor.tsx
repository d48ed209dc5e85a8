"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { type FormEvent, useState } from "react";
import { apiSend } from "../data/api.ts";
import { useProblemText } from "../data/use-problem-text.ts";
import { useActionRefusal } from "../data/use-session.ts";
import { cleanText } from "../format/hostile-text.ts";
import { useDocuments } from "../live/use-entities.ts";
import { Button } from "../ui/button.tsx";
import { Select } from "../ui/field.tsx";
import { toast } from "../ui/toast.tsx";
import type { MapModel } from "./map-model.ts";

/** Dependencies that a person declared: for what telemetry can't see, or has not seen yet. */
export function DependencyEditor({ name, model }: { name: string; model: MapModel }) {
  const t = useTranslations("map");
  const refusal = useActionRefusal("operator");
  const client = useQueryClient();
  const problem = useProblemText();
  const [to, setTo] = useState("");
  const declared = useDocuments("declared-dependency").filter((document) => document.from === name);
  const change = useMutation({
    mutationFn: (body: { to: string; declared: boolean }) =>
      apiSend("PUT", "dependencies", { from: name, reason: "", ...body }),
    onSuccess: async () => {
      setTo("");
      await client.invalidateQueries({ queryKey: ["topology"] });
      await client.invalidateQueries({ queryKey: ["service", name] });
    },
    onError: (error) => {
      const { title, text } = problem(error);
      toast.error(title, { description: text });
    },
  });
  const taken = new Set([name, ...declared.map((document) => document.to)]);
  const choices = [...model.services.values()]
    .map(({ node }) => node.name)
    .filter((each) => !taken.has(each))
    .sort();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (to !== "" && refusal === null) change.mutate({ to, declared: true });
  };
  return (
    <section aria-label={t("declared")}>
      <h3 className="mb-1.5 text-xs font-semibold text-muted">{t("declared")}</h3>
      <ul>
        {declared.map((document) => (
          <li key={document.id} className="flex items-center justify-between gap-3 border-t border-line py-1.5">
            <span>
              {cleanText(document.to, 60)}{" "}
              <span className="text-xs text-muted">{t("declaredBy", { by: cleanText(document.by, 40) })}</span>
            </span>
            <Button
              size="sm"
              refusal={refusal}
              busy={change.isPending}
              onClick={() => change.mutate({ to: document.to, declared: false })}
            >
              {t("remove")}
            </Button>
          </li>
        ))}
      </ul>
      <form onSubmit={submit} className="mt-1 flex items-center gap-2">
        <Select
          aria-label={t("dependsOn")}
          value={to}
          onChange={(event) => setTo(event.target.value)}
          options={[
            { value: "", label: t("dependsOn") },
            ...choices.map((value) => ({ value, label: cleanText(value, 60) })),
          ]}
          className="min-w-0 flex-1"
        />
        <Button type="submit" refusal={refusal ?? (to === "" ? t("chooseService") : null)} busy={change.isPending}>
          {t("declare")}
        </Button>
      </form>
    </section>
  );
}
