"use client";
import { type ComponentPropsWithRef, type ReactNode, type SelectHTMLAttributes, useId } from "react";
import { classes } from "./classes.ts";

const control =
  "focus-ring h-8 min-w-0 rounded-md border border-line bg-well px-2.5 text-sm text-ink hover:border-line-strong disabled:opacity-50 aria-invalid:border-danger";

export function Input({ className, ...rest }: ComponentPropsWithRef<"input">) {
  return <input {...rest} className={classes(control, "w-full", className)} />;
}

/** The browser's own select: fast, accessible, good on phones. */
export function Select({
  options,
  className,
  ...rest
}: SelectHTMLAttributes<HTMLSelectElement> & {
  readonly options: readonly { readonly value: string; readonly label: string }[];
}) {
  return (
    <select {...rest} className={classes(control, "pr-7", className)}>
      {options.map((option) => (
        <option key={option.value} value={option.value} className="bg-panel text-ink">
          {option.label}
        </option>
      ))}
    </select>
  );
}

/** A label, a control and what is wrong with it. `children` gets the id and the description's id to put on its control. */
export function Field({
  label,
  hint,
  error,
  children,
}: {
  label: ReactNode;
  hint?: ReactNode;
  error?: ReactNode;
  children: (ids: { id: string; "aria-describedby"?: string; "aria-invalid"?: boolean }) => ReactNode;
}) {
  const id = useId();
  const note = error ?? hint;
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-xs font-medium text-muted">
        {label}
      </label>
      {children({
        id,
        ...(note ? { "aria-describedby": `${id}-note` } : {}),
        ...(error ? { "aria-invalid": true } : {}),
      })}
      {note ? (
        <p id={`${id}-note`} className={classes("text-xs", error ? "text-danger-ink" : "text-muted")}>
          {note}
        </p>
      ) : null}
    </div>
  );
}
