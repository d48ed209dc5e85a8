"use client";
import type { ButtonHTMLAttributes, ReactNode } from "react";
import { classes } from "./classes.ts";
import { Tooltip } from "./tooltip.tsx";

export type ButtonVariant = "primary" | "secondary" | "quiet" | "danger";
export type ButtonSize = "sm" | "md";

const base =
  "focus-ring inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md border font-medium whitespace-nowrap select-none transition-colors disabled:cursor-not-allowed aria-disabled:cursor-not-allowed";
const sizes: Record<ButtonSize, string> = { sm: "h-7 px-2.5 text-xs", md: "h-8 px-3 text-sm" };
const variants: Record<ButtonVariant, string> = {
  primary: "border-transparent bg-accent text-on-accent hover:brightness-110 font-semibold",
  secondary: "border-line bg-raised text-ink hover:border-line-strong",
  quiet: "border-transparent bg-transparent text-muted hover:bg-raised hover:text-ink",
  danger: "border-transparent bg-danger text-on-danger hover:brightness-110 font-semibold",
};
const off = "opacity-50 hover:brightness-100 hover:border-line";

export function buttonClasses(variant: ButtonVariant = "secondary", size: ButtonSize = "md", extra?: string): string {
  return classes(base, sizes[size], variants[variant], extra);
}

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly variant?: ButtonVariant;
  readonly size?: ButtonSize;
  readonly icon?: ReactNode;
  /**
   * Why it can't be pressed now. There is no dead button without words: a refused button stays focusable and its tooltip
   * says why. Leave it out (or null) when the button works.
   */
  readonly refusal?: string | null;
  readonly busy?: boolean;
}

export function Button({ variant, size, icon, refusal, busy, className, children, onClick, ...rest }: ButtonProps) {
  const refused = refusal !== null && refusal !== undefined;
  const button = (
    <button
      type="button"
      {...rest}
      aria-disabled={refused || busy || undefined}
      aria-busy={busy || undefined}
      onClick={refused || busy ? (event) => event.preventDefault() : onClick}
      className={buttonClasses(variant, size, classes((refused || busy) && off, className))}
    >
      {icon}
      {children}
    </button>
  );
  return refused ? <Tooltip text={refusal}>{button}</Tooltip> : button;
}

/** A square button with an icon only; its name is spoken and shown on hover. */
export function IconButton({
  label,
  children,
  className,
  ...rest
}: Omit<ButtonProps, "icon" | "size"> & { readonly label: string }) {
  return (
    <Tooltip text={label}>
      <button
        type="button"
        aria-label={label}
        {...omitRefusal(rest)}
        className={classes(
          "focus-ring inline-flex size-8 shrink-0 items-center justify-center rounded-md text-muted hover:bg-raised hover:text-ink",
          className,
        )}
      >
        {children}
      </button>
    </Tooltip>
  );
}

function omitRefusal({
  refusal: _refusal,
  busy: _busy,
  variant: _variant,
  ...rest
}: Omit<ButtonProps, "icon" | "size">) {
  return rest;
}
