"use client";
import { X } from "lucide-react";
import { useTranslations } from "next-intl";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { classes } from "./classes.ts";

interface OverlayProps {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly title: ReactNode;
  readonly description?: ReactNode;
  readonly children: ReactNode;
  readonly footer?: ReactNode;
  /** Small line above the title: the path, as `prod / eu / orders`. */
  readonly path?: ReactNode;
  readonly className?: string;
}

/** A question in the middle of the screen. Only to commit an action; everything else is a sheet. */
export function Dialog(props: OverlayProps) {
  return (
    <Overlay
      {...props}
      frame={classes(
        "enter-fade fixed top-1/2 left-1/2 max-h-[calc(100dvh-2rem)] w-[min(32rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 rounded-lg border border-line-strong bg-panel",
        props.className,
      )}
    />
  );
}

/** The inspector: slides in from the right, over the whole width on a phone. */
export function Sheet({ width = "34rem", ...props }: OverlayProps & { readonly width?: string }) {
  return (
    <Overlay
      {...props}
      style={{ width: `min(${width}, 100vw)` }}
      frame={classes("enter-sheet fixed inset-y-0 right-0 border-l border-line-strong bg-panel", props.className)}
    />
  );
}

function Overlay({
  open,
  onClose,
  title,
  description,
  children,
  footer,
  path,
  frame,
  style,
}: OverlayProps & { readonly frame: string; readonly style?: React.CSSProperties }) {
  const t = useTranslations("ui");
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="enter-fade fixed inset-0 z-40 bg-scrim" />
        <Radix.Content
          className={classes("z-50 flex flex-col focus:outline-none", frame)}
          style={style}
          {...(description === undefined ? { "aria-describedby": undefined } : {})}
        >
          <header className="flex items-start justify-between gap-4 px-5 pt-4 pb-3">
            <div className="min-w-0">
              {path !== undefined && <div className="text-xs text-muted">{path}</div>}
              <Radix.Title className="text-lg font-semibold">{title}</Radix.Title>
              {description !== undefined && (
                <Radix.Description className="mt-0.5 text-sm text-muted">{description}</Radix.Description>
              )}
            </div>
            <Radix.Close
              aria-label={t("close")}
              className="focus-ring -mr-1.5 inline-flex size-8 shrink-0 items-center justify-center rounded-md text-muted hover:bg-raised hover:text-ink"
            >
              <X size={16} aria-hidden />
            </Radix.Close>
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto px-5 pb-5">{children}</div>
          {footer !== undefined && (
            <footer className="flex flex-wrap items-center justify-end gap-2 border-t border-line px-5 py-3">
              {footer}
            </footer>
          )}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
