"use client";
import dynamic from "next/dynamic";
import { usePathname, useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { type ReactNode, useEffect, useState } from "react";
import { useProblemText } from "../data/use-problem-text.ts";
import { useSession } from "../data/use-session.ts";
import { LiveProvider } from "../live/live-provider.tsx";
import { useFeedStatus, useIsFresh } from "../live/use-entities.ts";
import { ErrorState, SkeletonLines } from "../ui/feedback.tsx";
import { ConnectionBar } from "./connection-bar.tsx";
import { MaintenanceBar } from "./maintenance-bar.tsx";
import { Rail } from "./rail.tsx";
import { TopBar } from "./top-bar.tsx";
import { useShortcuts } from "./use-shortcuts.ts";

const Palette = dynamic(() => import("./palette.tsx").then((module) => module.Palette), { ssr: false });
const HelpSheet = dynamic(() => import("./help-sheet.tsx").then((module) => module.HelpSheet), { ssr: false });

/** The console around every screen: asks who is there, opens the live feed, and draws rail and top bar. */
export function AppShell({ children }: { children: ReactNode }) {
  const session = useSession();
  const router = useRouter();
  const path = usePathname();
  const say = useProblemText();
  const signedIn = session.data?.user != null;
  const setupNeeded = session.data?.setupNeeded === true;
  useEffect(() => {
    if (session.data === undefined || signedIn) return;
    router.replace(setupNeeded ? "/setup" : `/sign-in?next=${encodeURIComponent(path + window.location.search)}`);
  }, [session.data, signedIn, setupNeeded, router, path]);

  if (session.isError && session.data === undefined) {
    const { title, text, reference } = say(session.error);
    return (
      <main className="grid min-h-dvh place-items-center">
        <ErrorState title={title} text={text} reference={reference} onRetry={() => void session.refetch()} />
      </main>
    );
  }
  if (!signedIn) return <Waiting />;
  return (
    <LiveProvider>
      <Frame>{children}</Frame>
    </LiveProvider>
  );
}

function Waiting() {
  return (
    <main className="mx-auto max-w-3xl p-8">
      <SkeletonLines lines={6} />
    </main>
  );
}

function Frame({ children }: { children: ReactNode }) {
  const t = useTranslations("nav");
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  const opened = useOnceTrue(palette);
  const helped = useOnceTrue(help);
  const fresh = useIsFresh();
  const { ready } = useFeedStatus();
  useShortcuts({ onPalette: () => setPalette(true), onHelp: () => setHelp(true) });
  return (
    <div className="md:flex">
      <a
        href="#main"
        className="focus-ring sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-md focus:bg-raised focus:px-3 focus:py-2"
      >
        {t("skip")}
      </a>
      <Rail />
      <div className="min-w-0 flex-1 pb-16 md:pb-0">
        <TopBar onPalette={() => setPalette(true)} />
        <ConnectionBar />
        <MaintenanceBar />
        <main
          id="main"
          tabIndex={-1}
          data-fresh={fresh}
          className="group/live mx-auto w-full max-w-[100rem] px-3 py-4 outline-none md:px-7 md:py-6"
        >
          {ready ? children : <SkeletonLines lines={8} className="max-w-2xl" />}
        </main>
      </div>
      {opened && <Palette open={palette} onClose={() => setPalette(false)} onHelp={() => setHelp(true)} />}
      {helped && <HelpSheet open={help} onClose={() => setHelp(false)} />}
    </div>
  );
}

/** True from the first time on: code that is loaded lazily stays mounted so that it can animate out. */
function useOnceTrue(value: boolean): boolean {
  const [once, setOnce] = useState(value);
  useEffect(() => {
    if (value) setOnce(true);
  }, [value]);
  return once || value;
}
