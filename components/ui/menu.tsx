"use client";
import { DropdownMenu as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { classes } from "./classes.ts";

/** A menu under a button. `trigger` is one focusable element. Load it lazily (`lazy-menu.tsx`) on a page's first view. */
export function Menu({
  trigger,
  children,
  align = "end",
  defaultOpen = false,
}: {
  trigger: ReactNode;
  children: ReactNode;
  align?: "start" | "end";
  defaultOpen?: boolean;
}) {
  return (
    <Radix.Root defaultOpen={defaultOpen}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={align}
          sideOffset={6}
          collisionPadding={8}
          className="enter-fade z-50 max-h-[70dvh] min-w-48 overflow-y-auto rounded-lg border border-line-strong bg-panel p-1 text-sm"
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

const item =
  "flex h-8 cursor-default items-center gap-2 rounded-md px-2 outline-none select-none data-[highlighted]:bg-raised data-[disabled]:opacity-50";

export function MenuItem({
  children,
  onSelect,
  className,
}: {
  children: ReactNode;
  onSelect: () => void;
  className?: string;
}) {
  return (
    <Radix.Item onSelect={onSelect} className={classes(item, className)}>
      {children}
    </Radix.Item>
  );
}

/** One of several choices; the chosen one is marked. */
export function MenuChoices<T extends string>({
  label,
  value,
  onChange,
  options,
}: {
  label: string;
  value: T;
  onChange: (value: T) => void;
  options: readonly { readonly value: T; readonly label: string }[];
}) {
  return (
    <Radix.Group>
      <Radix.Label className="px-2 pt-2 pb-1 text-2xs font-semibold text-muted">{label}</Radix.Label>
      <Radix.RadioGroup value={value} onValueChange={(next) => onChange(next as T)}>
        {options.map((option) => (
          <Radix.RadioItem key={option.value} value={option.value} className={item}>
            <span className="inline-flex w-3 justify-center text-accent">
              <Radix.ItemIndicator>✓</Radix.ItemIndicator>
            </span>
            {option.label}
          </Radix.RadioItem>
        ))}
      </Radix.RadioGroup>
    </Radix.Group>
  );
}

export function MenuSeparator() {
  return <Radix.Separator className="my-1 h-px bg-line" />;
}

export function MenuNote({ children }: { children: ReactNode }) {
  return <div className="px-2 py-1.5 text-xs text-muted">{children}</div>;
}
