import type { TimeZoneChoice } from "../format/time.ts";
import { chooseLocale, type Locale } from "../i18n/locale.ts";

export type Theme = "system" | "dark" | "light";
export type Contrast = "system" | "more";

export interface Preferences {
  readonly theme: Theme;
  readonly contrast: Contrast;
  readonly zone: TimeZoneChoice;
  readonly railOpen: boolean;
  readonly locale: Locale;
}

export const preferenceCookies = {
  theme: "holdfast-theme",
  contrast: "holdfast-contrast",
  zone: "holdfast-zone",
  rail: "holdfast-rail",
  locale: "holdfast-locale",
} as const;

/** Reads preferences from a request; anything unknown falls back to the default. */
export function readPreferences(
  cookie: (name: string) => string | undefined,
  acceptLanguage: string | null,
): Preferences {
  const theme = cookie(preferenceCookies.theme);
  return {
    theme: theme === "dark" || theme === "light" ? theme : "system",
    contrast: cookie(preferenceCookies.contrast) === "more" ? "more" : "system",
    zone: cookie(preferenceCookies.zone) === "local" ? "local" : "utc",
    railOpen: cookie(preferenceCookies.rail) === "open",
    locale: chooseLocale(cookie(preferenceCookies.locale), acceptLanguage),
  };
}
