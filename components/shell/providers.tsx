"use client";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type AbstractIntlMessages, NextIntlClientProvider } from "next-intl";
import { NuqsAdapter } from "nuqs/adapters/next/app";
import { type ReactNode, useState } from "react";
import { ApiError } from "../data/problem.ts";
import { Toaster } from "../ui/toast.tsx";
import type { Preferences } from "./preference-cookies.ts";
import { PreferencesProvider } from "./preferences.tsx";

function createClient(): QueryClient {
  const client: QueryClient = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        refetchOnWindowFocus: false,
        // An answer that says no will say no again; only silence is worth another try.
        retry: (count, error) =>
          count < 2 && (!(error instanceof ApiError) || error.problem.status === 0 || error.problem.status >= 500),
      },
    },
  });
  const onError = (error: unknown, isSession: boolean) => {
    if (!isSession && error instanceof ApiError && error.problem.status === 401) {
      void client.invalidateQueries({ queryKey: ["session"] });
    }
  };
  client.getQueryCache().config.onError = (error, query) => onError(error, query.queryKey[0] === "session");
  client.getMutationCache().config.onError = (error) => onError(error, false);
  return client;
}

/** Everything a screen may count on: words, preferences, queries, address state, tooltips, toasts. */
export function Providers({
  preferences,
  messages,
  children,
}: {
  preferences: Preferences;
  messages: AbstractIntlMessages;
  children: ReactNode;
}) {
  const [client] = useState(createClient);
  return (
    <NextIntlClientProvider
      locale={preferences.locale}
      messages={messages}
      timeZone="UTC"
      onError={() => {}}
      getMessageFallback={({ key, namespace }) => (namespace ? `${namespace}.${key}` : key)}
    >
      <PreferencesProvider initial={preferences}>
        <QueryClientProvider client={client}>
          <NuqsAdapter>
            {children}
            <Toaster />
          </NuqsAdapter>
        </QueryClientProvider>
      </PreferencesProvider>
    </NextIntlClientProvider>
  );
}
