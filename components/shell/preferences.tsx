"use client";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";
import type { TimeZoneChoice } from "../format/time.ts";
import type { Locale } from "../i18n/locale.ts";
import { type Contrast, type Preferences, preferenceCookies, type Theme } from "./preference-cookies.ts";

interface PreferencesApi extends Preferences {
  readonly setTheme: (theme: Theme) => void;
  readonly setContrast: (contrast: Contrast) => void;
  readonly setZone: (zone: TimeZoneChoice) => void;
  readonly setRailOpen: (open: boolean) => void;
  /** Messages come with the page, so another language loads it again. */
  readonly setLocale: (locale: Locale) => void;
}

const Context = createContext<PreferencesApi | null>(null);

const YEAR_S = 31_536_000;
function writeCookie(name: string, value: string): void {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every supported browser
  document.cookie = `${name}=${value}; path=/; max-age=${YEAR_S}; samesite=lax`;
}

/** How this person likes to look at it: kept in cookies so that the first paint is already right. */
export function PreferencesProvider({ initial, children }: { initial: Preferences; children: ReactNode }) {
  const [state, setState] = useState(initial);

  const setTheme = useCallback((theme: Theme) => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    writeCookie(preferenceCookies.theme, theme);
    setState((s) => ({ ...s, theme }));
  }, []);
  const setContrast = useCallback((contrast: Contrast) => {
    if (contrast === "system") delete document.documentElement.dataset.contrast;
    else document.documentElement.dataset.contrast = contrast;
    writeCookie(preferenceCookies.contrast, contrast);
    setState((s) => ({ ...s, contrast }));
  }, []);
  const setZone = useCallback((zone: TimeZoneChoice) => {
    writeCookie(preferenceCookies.zone, zone);
    setState((s) => ({ ...s, zone }));
  }, []);
  const setRailOpen = useCallback((railOpen: boolean) => {
    writeCookie(preferenceCookies.rail, railOpen ? "open" : "closed");
    setState((s) => ({ ...s, railOpen }));
  }, []);
  const setLocale = useCallback((locale: Locale) => {
    writeCookie(preferenceCookies.locale, locale);
    window.location.reload();
  }, []);

  const api = useMemo(
    () => ({ ...state, setTheme, setContrast, setZone, setRailOpen, setLocale }),
    [state, setTheme, setContrast, setZone, setRailOpen, setLocale],
  );
  return <Context value={api}>{children}</Context>;
}

export function usePreferences(): PreferencesApi {
  const api = useContext(Context);
  if (api === null) throw new Error("usePreferences outside of PreferencesProvider");
  return api;
}
