import { useTranslations } from "next-intl";
import type { Automation } from "../../server/core/index.ts";
import { useCodeText } from "../i18n/code-text.ts";

/** Why automation stands as it does: a reason of ours in the reader's language, or who said what. */
export function useAutomationReason({ by, reason }: Automation): string {
  const all = useTranslations();
  const say = useCodeText();
  const known = all.has(`automation.reason.${reason}` as "automation.on");
  return known ? say("automation.reason", reason) : `${by}: ${reason}`;
}
