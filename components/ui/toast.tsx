"use client";
import { Toaster as Sonner, toast } from "sonner";

/** Short news of what the reader just did. Facts about the system belong on the screen, not here. */
export function Toaster() {
  return (
    <Sonner
      position="bottom-right"
      gap={8}
      toastOptions={{
        unstyled: true,
        classNames: {
          toast:
            "flex w-[22rem] max-w-[calc(100vw-2rem)] items-start gap-2.5 rounded-lg border border-line-strong bg-raised px-3.5 py-3 text-sm text-ink",
          title: "font-medium",
          description: "mt-0.5 text-xs text-muted",
          error: "!border-danger",
          actionButton: "focus-ring ml-auto rounded-md border border-line px-2 py-1 text-xs",
        },
      }}
    />
  );
}

export { toast };
