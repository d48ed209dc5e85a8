"use client";
import { useTranslations } from "next-intl";
import { parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import { type ChangeFilter, changeKinds, changeStates } from "../../server/core/changes/filter.ts";
import { Input, Select } from "../ui/field.tsx";

const ended = changeStates.filter((state) => state !== "running");

/** Which of the past changes are shown; it stands in the address. */
export function useChangeFilter() {
  const [state, set] = useQueryStates({
    q: parseAsString.withDefault(""),
    ended: parseAsStringLiteral(ended),
    kind: parseAsStringLiteral(changeKinds),
  });
  const text = state.q.trim();
  const wanted: ChangeFilter = {
    ...(text === "" ? {} : { text }),
    ...(state.ended === null ? {} : { state: state.ended }),
    ...(state.kind === null ? {} : { kind: state.kind }),
  };
  return { state, set, wanted, isSet: Object.keys(wanted).length > 0 };
}

export function ChangeFilterBar({ filter: { state, set } }: { filter: ReturnType<typeof useChangeFilter> }) {
  const t = useTranslations("changes.filter");
  return (
    <div className="flex flex-wrap gap-2 pb-3">
      <Input
        type="search"
        value={state.q}
        maxLength={100}
        placeholder={t("text")}
        aria-label={t("text")}
        className="min-w-56 max-w-lg flex-1 max-sm:max-w-none max-sm:basis-full"
        onChange={(event) => void set({ q: event.target.value || null })}
      />
      <Select
        className="max-sm:flex-1"
        aria-label={t("state")}
        value={state.ended ?? ""}
        onChange={(event) => void set({ ended: ended.find((each) => each === event.target.value) ?? null })}
        options={[
          { value: "", label: t("everyState") },
          ...ended.map((each) => ({ value: each, label: t(`stateIs.${each}`) })),
        ]}
      />
      <Select
        className="max-sm:flex-1"
        aria-label={t("kind")}
        value={state.kind ?? ""}
        onChange={(event) => void set({ kind: changeKinds.find((each) => each === event.target.value) ?? null })}
        options={[
          { value: "", label: t("everyKind") },
          ...changeKinds.map((each) => ({ value: each, label: t(`kindIs.${each}`) })),
        ]}
      />
    </div>
  );
}
