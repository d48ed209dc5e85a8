"use client";
import { type ComponentType, useEffect, useRef, useState } from "react";

/** Short news of what the reader just did. Facts about the system belong on the screen, not here. */
interface Toast {
  (title: string, options?: { readonly description?: string }): void;
  readonly error: (title: string, options?: { readonly description?: string }) => void;
}

const loadSonner = () => import("sonner");
/** Mounts the place where toasts appear; resolves when it listens. Null while the page has none. */
let mount: (() => Promise<void>) | null = null;

/** The library comes with the first toast; nothing waits for it. */
async function tell(
  kind: "plain" | "error",
  title: string,
  options?: { readonly description?: string },
): Promise<void> {
  const { toast: sonner } = await loadSonner();
  await mount?.();
  if (kind === "error") sonner.error(title, options);
  else sonner(title, options);
}

export const toast: Toast = Object.assign(
  (title: string, options?: { readonly description?: string }) => void tell("plain", title, options),
  { error: (title: string, options?: { readonly description?: string }) => void tell("error", title, options) },
);

/** Where toasts appear; one on the page. */
export function Toaster() {
  const [Sonner, setSonner] = useState<ComponentType<Record<string, unknown>> | null>(null);
  const waiting = useRef<(() => void)[]>([]);
  useEffect(() => {
    // Effects of children come first: when this runs with the component there, it listens.
    if (Sonner !== null) for (const resolve of waiting.current.splice(0)) resolve();
    mount = async () => {
      if (Sonner !== null) return;
      const { Toaster: Loaded } = await loadSonner();
      await new Promise<void>((resolve) => {
        waiting.current.push(resolve);
        setSonner(() => Loaded as ComponentType<Record<string, unknown>>);
      });
    };
    return () => {
      mount = null;
    };
  }, [Sonner]);
  if (Sonner === null) return null;
  return (
    <Sonner
      position="bottom-right"
      gap={8}
      toastOptions={{
        unstyled: true,
        classNames: {
          toast:
            "flex w-[22rem] max-w-[calc(100vw-2rem)] items-start gap-2.5 rounded-lg border border-line-strong bg-raised px-3.5 py-3 font-sans text-sm text-ink",
          title: "font-medium",
          description: "mt-0.5 text-xs text-muted",
          error: "!border-danger",
        },
      }}
    />
  );
}
