"use client";
import { CircleAlert } from "lucide-react";
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";
import { Button } from "./button.tsx";
import { classes } from "./classes.ts";

/** The shape of what is coming. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={classes("skeleton rounded-md bg-raised", className)} />;
}

/** Several lines of skeleton with one spoken "loading". */
export function SkeletonLines({ lines = 3, className }: { lines?: number; className?: string }) {
  const t = useTranslations("ui");
  return (
    <div role="status" className={classes("flex flex-col gap-2.5", className)}>
      <span className="sr-only">{t("loading")}</span>
      {Array.from({ length: lines }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike
        <Skeleton key={i} className={classes("h-4", i % 3 === 2 ? "w-1/2" : i % 3 === 1 ? "w-4/5" : "w-full")} />
      ))}
    </div>
  );
}

/** Nothing here, why, and what to do about it. */
export function EmptyState({
  title,
  text,
  action,
  glyph,
}: {
  title: ReactNode;
  text?: ReactNode;
  action?: ReactNode;
  glyph?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center gap-2 px-4 py-10 text-center">
      {glyph}
      <p className="text-base font-medium">{title}</p>
      {text !== undefined && <div className="w-full max-w-prose min-w-0 text-sm text-muted">{text}</div>}
      {action !== undefined && <div className="mt-2">{action}</div>}
    </div>
  );
}

/** What happened, why, and what to do, with a way to try again. `reference` finds the entry in the server's log. */
export function ErrorState({
  title,
  text,
  reference,
  onRetry,
}: {
  title: ReactNode;
  text?: ReactNode;
  reference?: string | null;
  onRetry?: () => void;
}) {
  const t = useTranslations("ui");
  return (
    <div role="alert" className="flex flex-col items-center gap-2 px-4 py-8 text-center">
      <CircleAlert size={22} aria-hidden className="text-danger-ink" />
      <p className="text-base font-medium">{title}</p>
      {text !== undefined && <div className="max-w-prose text-sm text-muted">{text}</div>}
      {reference && <p className="font-mono text-xs text-muted">{t("reference", { reference })}</p>}
      {onRetry !== undefined && (
        <Button size="sm" onClick={onRetry} className="mt-2">
          {t("retry")}
        </Button>
      )}
    </div>
  );
}
