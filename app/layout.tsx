import "@fontsource-variable/inter";
import "@fontsource-variable/jetbrains-mono";
import "./globals.css";
import type { Metadata, Viewport } from "next";
import { cookies, headers } from "next/headers";
import type { ReactNode } from "react";
import { readPreferences } from "@/components/shell/preference-cookies";
import { Providers } from "@/components/shell/providers";
import en from "@/messages/en.json";
import zhCN from "@/messages/zh-CN.json";

export const metadata: Metadata = { title: { default: "Holdfast", template: "%s · Holdfast" } };
export const viewport: Viewport = { width: "device-width", initialScale: 1, colorScheme: "dark light" };

/** Reading cookies makes every page dynamic: the content security policy's nonces need that. */
export default async function RootLayout({ children }: { children: ReactNode }) {
  const [jar, head] = await Promise.all([cookies(), headers()]);
  const preferences = readPreferences((name) => jar.get(name)?.value, head.get("accept-language"));
  return (
    <html
      lang={preferences.locale}
      data-theme={preferences.theme === "system" ? undefined : preferences.theme}
      data-contrast={preferences.contrast === "more" ? "more" : undefined}
      suppressHydrationWarning
    >
      <body>
        <Providers preferences={preferences} messages={preferences.locale === "zh-CN" ? zhCN : en}>
          {children}
        </Providers>
      </body>
    </html>
  );
}
