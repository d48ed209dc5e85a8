"use client";
import { useEffect, useState } from "react";

/** A token's colour as the browser resolves it now (`light-dark()` is not resolved in a custom property's own value). */
export function resolveColor(token: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  probe.style.display = "none";
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}

/** A number that grows whenever the theme turns: canvases draw again in the new colours. */
export function useThemeTurn(): number {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const next = () => setTurn((before) => before + 1);
    const queries = ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"].map((query) =>
      window.matchMedia(query),
    );
    for (const query of queries) query.addEventListener("change", next);
    const observer = new MutationObserver(next);
    observer.observe(document.documentElement, { attributeFilter: ["data-theme", "data-contrast"] });
    return () => {
      for (const query of queries) query.removeEventListener("change", next);
      observer.disconnect();
    };
  }, []);
  return turn;
}
