import type { ReactNode } from "react";
import { classes } from "./classes.ts";

export type BadgeTone = "plain" | "accent" | "amber" | "danger";

const tones: Record<BadgeTone, string> = {
  plain: "border-line text-ink",
  accent: "border-accent text-ink bg-accent-wash",
  amber: "border-transparent bg-amber text-amber-ink",
  danger: "border-danger text-danger-ink",
};

/** A fact in a pill: `epoch 7`, `sync ANY 1`. Not a button. */
export function Badge({
  tone = "plain",
  children,
  className,
}: {
  tone?: BadgeTone;
  children: ReactNode;
  className?: string;
}) {
  return (
    <span
      className={classes(
        "num inline-flex h-6 items-center gap-1.5 rounded-full border px-2.5 text-xs whitespace-nowrap",
        tones[tone],
        className,
      )}
    >
      {children}
    </span>
  );
}
