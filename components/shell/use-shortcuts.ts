"use client";
import { useRouter } from "next/navigation";
import { useEffect, useRef } from "react";
import { places } from "./navigation.ts";

const CHORD_MS = 1_200;

/** Keys must not fire while somebody types. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** ⌘K, `?`, and `g` then a letter. Screens add their own keys with `useKey`. */
export function useShortcuts(handlers: { onPalette: () => void; onHelp: () => void }): void {
  const router = useRouter();
  const latest = useRef(handlers);
  latest.current = handlers;
  useEffect(() => {
    let chordAt = Number.NEGATIVE_INFINITY;
    const onKeyDown = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        return latest.current.onPalette();
      }
      if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('[role="dialog"]') !== null) return;
      if (performance.now() - chordAt < CHORD_MS) {
        chordAt = Number.NEGATIVE_INFINITY;
        const place = places.find(({ key }) => key === event.key);
        if (place === undefined) return;
        event.preventDefault();
        return router.push(place.href);
      }
      if (event.key === "g") chordAt = performance.now();
      else if (event.key === "?") latest.current.onHelp();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [router]);
}

/** One key of a screen (`j`, `k`, `t`, `/`), while nobody types and no dialog is open. */
export function useKey(key: string, run: () => void): void {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    let afterG = Number.NEGATIVE_INFINITY;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('[role="dialog"]') !== null) return;
      const chord = performance.now() - afterG < CHORD_MS;
      afterG = event.key === "g" ? performance.now() : Number.NEGATIVE_INFINITY;
      if (chord || event.key !== key) return;
      event.preventDefault();
      latest.current();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [key]);
}
