"use client";
import { Check, TriangleAlert } from "lucide-react";
import { useTranslations } from "next-intl";
import type { LockPromise, LockProviderView } from "../../server/protocol/index.ts";
import { cleanText } from "../format/hostile-text.ts";
import { classes } from "../ui/classes.ts";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { useFormat } from "../ui/text.tsx";
import { countLocks } from "./use-locks.ts";

/** What a provider does not hold to, said as plainly as what it does. */
const cautions: ReadonlySet<LockPromise> = new Set(["may-forget", "ends-with-session", "in-process"]);

/** One card a provider: is it well, how much does it keep, what does it promise. Pressing one narrows the list to it. */
export function ProviderCards({
  providers,
  chosen,
  onChoose,
}: {
  providers: readonly LockProviderView[];
  chosen: string;
  onChoose: (provider: string) => void;
}) {
  const t = useTranslations("locks");
  return (
    <ul aria-label={t("providers")} className="grid gap-3 md:grid-cols-2 xl:grid-cols-3">
      {providers.map((provider) => (
        <li key={provider.name}>
          <ProviderCard
            provider={provider}
            isChosen={chosen === provider.name}
            onPress={() => onChoose(chosen === provider.name ? "" : provider.name)}
          />
        </li>
      ))}
    </ul>
  );
}

function ProviderCard({
  provider,
  isChosen,
  onPress,
}: {
  provider: LockProviderView;
  isChosen: boolean;
  onPress: () => void;
}) {
  const t = useTranslations("locks");
  const format = useFormat();
  const { health, kind, name, promises } = provider;
  const { held, waiting } = countLocks([provider]);
  return (
    <button
      type="button"
      aria-pressed={isChosen}
      onClick={onPress}
      className={classes(
        "focus-ring flex h-full w-full flex-col gap-2.5 rounded-lg border bg-panel px-4 py-3 text-left hover:border-line-strong",
        isChosen ? "border-accent" : "border-line",
      )}
    >
      <span className="flex w-full items-center gap-2">
        <StateGlyph state={health.ok ? "healthy" : "down"} size={14} />
        <span className="text-base font-semibold">{name}</span>
        <span className="text-muted">{t(`kind.${kind}`)}</span>
        <span className="num ml-auto text-xs text-muted">
          {health.ok ? t("answersIn", { time: format.duration(Math.max(1, Math.round(health.latencyMs ?? 0))) }) : null}
        </span>
      </span>
      {health.ok ? (
        <span className="num text-sm">{t("counts", { held, waiting })}</span>
      ) : (
        <span className="text-sm break-words text-danger-ink">{t("down", { why: cleanText(health.detail, 160) })}</span>
      )}
      <span className="flex flex-col gap-1 text-xs text-muted">
        {promises.map((promise) => (
          <span key={promise} className="flex items-start gap-1.5">
            {cautions.has(promise) ? (
              <TriangleAlert size={13} aria-hidden className="mt-px shrink-0" />
            ) : (
              <Check size={13} aria-hidden className="mt-px shrink-0" />
            )}
            <span>
              <span className="sr-only">{t(cautions.has(promise) ? "caution" : "holds")} </span>
              {t(`promise.${promise}`)}
            </span>
          </span>
        ))}
      </span>
    </button>
  );
}
