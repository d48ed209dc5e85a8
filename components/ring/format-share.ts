import { formatNumber } from "../format/units.ts";
import type { Locale } from "../i18n/locale.ts";

/** `16.7 %`: shares of neighbours differ in the first decimal. */
export function formatShare(share: number, locale: Locale): string {
  return `${formatNumber(share * 100, locale, 1)} %`;
}
