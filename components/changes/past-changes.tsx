"use client";
import { useTranslations } from "next-intl";
import { cleanText } from "../format/hostile-text.ts";
import { useCodeText } from "../i18n/code-text.ts";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { Table, Td, Th, Tr } from "../ui/table.tsx";
import { Mono, RelativeTime } from "../ui/text.tsx";
import { type Change, changeState, phaseOf, whatOf } from "./use-changes.ts";

/** What was rolled out, newest first. Nothing is ever deleted from it. */
export function PastChanges({ changes, onShow }: { changes: readonly Change[]; onShow: (id: string) => void }) {
  const t = useTranslations("changes");
  const say = useCodeText();
  return (
    <Table label={t("past")}>
      <thead>
        <tr>
          <Th>{t("change")}</Th>
          <Th>{t("version")}</Th>
          <Th className="max-sm:hidden">{t("protocol")}</Th>
          <Th>{t("outcome")}</Th>
          <Th className="max-md:hidden">{t("why")}</Th>
          <Th>{t("began")}</Th>
        </tr>
      </thead>
      <tbody>
        {changes.map((change) => (
          <Tr key={change.id}>
            <Td className="whitespace-nowrap">
              <button
                type="button"
                className="focus-ring rounded-sm font-medium text-accent-ink hover:underline"
                aria-label={t("open", { change: change.id })}
                onClick={() => onShow(change.id)}
              >
                {change.id}
              </button>
            </Td>
            <Td>
              {change.service} <Mono>{cleanText(whatOf(change), 80)}</Mono>
            </Td>
            <Td className="max-sm:hidden">{t(`protocolIs.${change.protocol}`)}</Td>
            <Td>
              <span className="flex items-center gap-2">
                <StateGlyph state={changeState(change)} size={10} />
                <span>
                  {t(`phase.${phaseOf(change)}`)}
                  {change.fault !== null && (
                    <span className="text-muted"> · {say("changeFault", change.fault.code)}</span>
                  )}
                </span>
              </span>
            </Td>
            <Td className="max-w-72 truncate text-muted max-md:hidden">
              {t("byWhom", {
                who: cleanText(change.by, 40),
                reason: cleanText(change.reason, 120),
                hasReason: change.reason === "" ? "no" : "yes",
              })}
            </Td>
            <Td className="whitespace-nowrap">
              <RelativeTime at={change.openedAt} />
            </Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}
